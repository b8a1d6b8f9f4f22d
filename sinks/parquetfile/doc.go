// Package parquetfile writes Parquet files whose bytes depend on the rows alone:
// not on how these were cut into record batches, nor on the run. It knows no
// directory and no epoch.
package parquetfile
