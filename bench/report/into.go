package report

import (
	"fmt"
	"strings"
)

// Into puts text between the lines <!-- begin name --> and <!-- end name --> of a
// page.
func Into(page, name, text string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	head, rest, ok := strings.Cut(page, begin)
	_, tail, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", fmt.Errorf("there is no section %s in the page", name)
	}
	return head + begin + text + end + tail, nil
}
