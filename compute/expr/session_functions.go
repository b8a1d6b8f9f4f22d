package expr

import "os/user"

// sessionRows are the functions that ask about the session: there is one catalog
// and one schema, and the user is who runs the process.
func sessionRows() map[string]row {
	return map[string]row{
		"current_catalog": {constantText(func(*Env) string { return "spark_catalog" })},
		"current_schema":  {constantText(func(*Env) string { return "default" })},
		"current_path":    {constantText(func(*Env) string { return "system.builtin,system.session,spark_catalog.default" })},
		"current_user":    {constantText(userName)},
		"user":            {constantText(userName)},
		"session_user":    {constantText(userName)},
	}
}

func userName(*Env) string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
