// Package access knows who may call a server: users with passwords, services
// with tokens, and the tokens that a login gives.
//
// Promises that tests cite:
//
//	X1  A password is kept as an argon2id hash, a token as a SHA-256 hash: neither
//	    the file nor the memory of the server has one to steal.
//	X2  A login takes as long for a user that there is not as for a wrong password,
//	    and both fail with the same words.
//	X3  Who fails often waits, by user and by address. The memory for that has one
//	    size, and so has the number of hashes that are computed at a time.
//	X4  A token that a login gave ends some time after its last use, with its
//	    logout, with its user, and with the user's password or role.
//	X5  The file is refused while others than its owner may read it.
package access
