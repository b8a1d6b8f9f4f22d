// Package javaregexp runs patterns in the syntax and with the meaning of
// java.util.regex, which Spark's regular expressions have.
//
// A pattern is read once and written anew for two engines. Go's, which is linear in the
// text, runs it where it can: most patterns over most texts. A backtracking one
// (github.com/dlclark/regexp2) runs what needs it: look-around, back-references,
// possessive quantifiers, and line ends or word boundaries in texts where Go sees them
// elsewhere than Java does. Its time for one match is limited.
package javaregexp
