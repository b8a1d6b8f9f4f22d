package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/flightd/flightd"
	"github.com/flightd/flightd/flight/access"
	"github.com/flightd/flightd/internal/base"
)

// userCmd changes the file of users, which a running server reads again.
type userCmd struct {
	Users string `help:"The file of users." default:"flightd-users" type:"path"`

	Add    addUserCmd    `cmd:"" help:"Add a user, whose password is asked for or read from standard input."`
	Token  tokenCmd      `cmd:"" help:"Add a service, and print the token that it sends as authorization: Bearer."`
	Remove removeUserCmd `cmd:"" help:"Remove a user or service."`
	List   listUsersCmd  `cmd:"" help:"List users and services."`
}

type addUserCmd struct {
	Name    string `arg:"" help:"The user's name."`
	Role    string `help:"What the user may do: ${enum}." enum:"admin,writer,reader" default:"reader"`
	Replace bool   `help:"Give a user that there is a new role and password."`
}

// Run adds a user.
func (c *addUserCmd) Run(s *session, u *userCmd) error {
	f, err := access.Read(u.Users, flightd.Roles(), true)
	if err != nil {
		return err
	}
	password, err := readPassword(s.term)
	if err != nil {
		return err
	}
	if err := f.AddUser(c.Name, c.Role, password, c.Replace); err != nil {
		return err
	}
	return f.Write()
}

type tokenCmd struct {
	Name    string `arg:"" help:"The service's name."`
	Role    string `help:"What the service may do: ${enum}." enum:"admin,writer,reader" default:"reader"`
	Replace bool   `help:"Give a service that there is a new role and token."`
}

// Run adds a service.
func (c *tokenCmd) Run(s *session, u *userCmd) error {
	f, err := access.Read(u.Users, flightd.Roles(), true)
	if err != nil {
		return err
	}
	token, err := f.AddService(c.Name, c.Role, c.Replace)
	if err != nil {
		return err
	}
	if err := f.Write(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.term.out, token)
	return err
}

type removeUserCmd struct {
	Name string `arg:"" help:"The name of the user or service."`
}

// Run removes a user or service.
func (c *removeUserCmd) Run(_ *session, u *userCmd) error {
	f, err := access.Read(u.Users, flightd.Roles(), false)
	if err != nil {
		return err
	}
	if err := f.Remove(c.Name); err != nil {
		return err
	}
	return f.Write()
}

type listUsersCmd struct{}

// Run lists users and services, without their secrets.
func (listUsersCmd) Run(s *session, u *userCmd) error {
	f, err := access.Read(u.Users, flightd.Roles(), false)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.term.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "name\trole\tkind")
	for _, a := range f.Accounts() {
		kind := "user"
		if a.Service {
			kind = "service"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", a.Name, a.Role, kind)
	}
	return w.Flush()
}

// readPassword asks a person twice and shows nothing; from a pipe it reads a
// line.
func readPassword(t terminal) (string, error) {
	f, ok := t.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(t.in, 2*access.MaxPassword)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", base.Wrap(err, "reading the password")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	first, err := unseen(t, f, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := unseen(t, f, "Again: ")
	if err == nil && first != second {
		err = base.Errorf(base.CodeInvalid, "the two passwords differ")
	}
	return first, err
}

// askPassword asks a person once.
func askPassword(t terminal) (string, error) {
	f, ok := t.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", base.Errorf(base.CodeInvalid, "there is no password").WithHint("set FLIGHTD_PASSWORD")
	}
	return unseen(t, f, "Password: ")
}

// unseen reads a line from a terminal that does not show it.
func unseen(t terminal, f *os.File, what string) (string, error) {
	fmt.Fprint(t.err, what)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(t.err)
	return string(b), base.Wrap(err, "reading the password")
}
