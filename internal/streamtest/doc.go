// Package streamtest is the language of flightd's stream tests: scripts that a
// user of streaming SQL can read, run against the real engine through its public
// API.
//
// A script is a datadriven file: a command with arguments, its input, "----" and
// the output, which -rewrite regenerates.
//
//	source name=clicks      columns in DDL: a stream fed by push; other arguments are options of the source
//	table name=users        columns in DDL, then rows: a static table; again: its rows change
//	set                     settings, one "key = value" a line
//	query mode=append [trigger=available-now|once|'1 minute'] [checkpoint=other] [late=table] [sink=feed]     SQL, then "ok" or the error with its caret
//	explain                 SQL; the analysed and the physical plan
//	push [source=clicks]    rows: values between commas, one row a line (or, of one column, several a line)
//	run                     epochs until idle: watermark before -> after and the rows of each
//	subscribe [name=s]      SUBSCRIBE TO q …: the rows told up to the last epoch, if the query's sink is feed; again, without
//	                        the statement: what is told from the last token on
//	state                   the stateful operators of the last epoch
//	sql                     a statement, run as a batch; its rows
//	emission                what EXPLAIN EMISSION finds of the query
//	sink                    every row the sink has committed, by epoch
//	ledger                  the plans and done records of the checkpoint
//	crash before=plan|write|commit|done|advise         dies there at the next chance; prints where
//	fail op=create|write|sync|rename                   the next such operation of the checkpoint's disk fails
//	restart                 a new process on the same folder; prints what it does first
//	clock +5s               processing time moves
//
// Times may be written as seconds since 1970. A query that ends by itself
// (available-now, once) is started again by every run.
//
// Scripts are played on a disk that is kept in memory, but for the plain play.
//
// Behind every run all tables of the query's state are read: they must have as many rows
// as the last epoch reported.
//
// Run plays each script many times: with record batches of 1, 2, 3 and all rows,
// with one sub-table of state, and with a crash before the k-th durable step for
// several k, recovered on the spot. Every time the output must be the same.
package streamtest
