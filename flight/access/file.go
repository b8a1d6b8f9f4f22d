package access

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/flightd/flightd/internal/atomicfile"
	"github.com/flightd/flightd/internal/base"
)

// fileMode is what the file of users has: its owner alone.
const fileMode = 0o600

// maxFile is the largest file of users that is read.
const maxFile = 16 << 20

// An Account is a line of the file of users: a user with a password, or a
// service with a token.
type Account struct {
	Name string
	// Role is the name of what it may do.
	Role    string
	Service bool
	// secret is the hash, as in the file.
	secret   string
	password *verifier // of a user
	token    digest    // of a service
}

// A File is the users of a server: a line each of name, role and hash. Lines
// that begin with # are comments. It is read as a whole.
type File struct {
	path     string
	roles    []string
	accounts []*Account
}

func (f *File) nameRule() *regexp.Regexp {
	return regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._@+-]{0,63}$`)
}

// Read reads a file of users, whose roles are among those given. With missing,
// none is a file of nobody.
func Read(path string, roles []string, missing bool) (*File, error) {
	f := &File{path: path, roles: roles}
	in, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) && missing {
		return f, nil
	}
	if err != nil {
		return nil, base.Errorf(base.CodeInvalid, "the file of users: %v", err).WithHint("flightd user add NAME --users %s makes it", path)
	}
	defer in.Close()
	st, err := in.Stat()
	switch {
	case err != nil:
		return nil, base.Wrap(err, "the file of users %s", path)
	case !st.Mode().IsRegular() || st.Size() > maxFile:
		return nil, base.Errorf(base.CodeInvalid, "the file of users %s is not a file of at most %d bytes", path, maxFile)
	case st.Mode().Perm()&0o077 != 0:
		return nil, base.Errorf(base.CodeInvalid, "the file of users %s has the mode %04o: others may read or write it", path, st.Mode().Perm()).
			WithHint("chmod 600 %s", path)
	}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		a, err := f.account(text)
		if err != nil {
			return nil, base.Errorf(base.CodeInvalid, "the file of users %s, line %d", path, n).Because(err)
		}
		f.accounts = append(f.accounts, a)
	}
	return f, base.Wrap(lines.Err(), "the file of users %s", path)
}

func (f *File) account(line string) (*Account, error) {
	parts := strings.Fields(line)
	if len(parts) != 3 {
		return nil, base.Errorf(base.CodeInvalid, "there are %d words; a line has name, role and hash", len(parts))
	}
	a := &Account{Name: parts[0], Role: strings.ToLower(parts[1]), secret: parts[2]}
	if err := f.check(a); err != nil {
		return nil, err
	}
	if f.find(a.Name) != nil {
		return nil, base.Errorf(base.CodeInvalid, "the user %s has two lines", a.Name)
	}
	return a, a.readSecret()
}

func (a *Account) readSecret() (err error) {
	if a.token, a.Service = parseDigest(a.secret); a.Service {
		return nil
	}
	a.password, err = parseHash(a.secret)
	return err
}

func (f *File) check(a *Account) error {
	if !f.nameRule().MatchString(a.Name) {
		return base.Errorf(base.CodeInvalid, "%q is no name of a user", a.Name).
			WithHint("a name has up to 64 letters, digits and . _ @ + -, and begins with a letter or digit")
	}
	if !slices.Contains(f.roles, a.Role) {
		return base.Errorf(base.CodeInvalid, "the user %s has the role %q", a.Name, a.Role).WithHint("the roles are %s", strings.Join(f.roles, ", "))
	}
	return nil
}

// find returns the account of a name, which is case-sensitive, or nil.
func (f *File) find(name string) *Account {
	for _, a := range f.accounts {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Accounts lists the accounts by name.
func (f *File) Accounts() []Account {
	var out []Account
	for _, a := range f.accounts {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Account) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// AddUser adds a user, or with replace gives one a new role and password.
func (f *File) AddUser(name, role, password string, replace bool) error {
	switch n := len([]rune(password)); {
	case n < MinPassword:
		return base.Errorf(base.CodeInvalid, "a password has at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return base.Errorf(base.CodeInvalid, "a password has at most %d bytes", MaxPassword)
	}
	return f.put(&Account{Name: name, Role: strings.ToLower(role)}, replace, func() string { return hashPassword(password) })
}

// AddService adds a service and returns its token, which is not kept.
func (f *File) AddService(name, role string, replace bool) (token string, err error) {
	token = newToken("fds_")
	return token, f.put(&Account{Name: name, Role: strings.ToLower(role)}, replace, digestOf(token).String)
}

func (f *File) put(a *Account, replace bool, secret func() string) error {
	if err := f.check(a); err != nil {
		return err
	}
	old := f.find(a.Name)
	if old != nil && !replace {
		return base.Errorf(base.CodeConflict, "there is a user %s already", a.Name).WithHint("--replace gives it a new role and secret")
	}
	a.secret = secret()
	if err := a.readSecret(); err != nil {
		return err
	}
	if old != nil {
		*old = *a
		return nil
	}
	f.accounts = append(f.accounts, a)
	return nil
}

// Remove removes a user or service.
func (f *File) Remove(name string) error {
	n := len(f.accounts)
	f.accounts = slices.DeleteFunc(f.accounts, func(a *Account) bool { return a.Name == name })
	if len(f.accounts) == n {
		return base.Errorf(base.CodeNotFound, "there is no user %s", name)
	}
	return nil
}

// Write makes the file what f is, at once and for its owner alone.
func (f *File) Write() error {
	var b bytes.Buffer
	b.WriteString("# Users of flightd: name, role, hash. Made by flightd user; the server reads it again when it changes.\n")
	for _, a := range f.accounts {
		fmt.Fprintln(&b, a.Name, a.Role, a.secret)
	}
	return base.Wrap(atomicfile.WritePrivate(f.path, b.Bytes()), "writing the file of users %s", f.path)
}
