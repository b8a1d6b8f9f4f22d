package flightd_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// NOT NULL says nothing of the columns and members of a table of files, as in Spark
// 4.3.0: it is not kept, and rows with NULL are stored. A table USING flight holds it.
func TestNotNullOfMembers(t *testing.T) {
	for name, using := range map[string]string{"table": "", "parquet": "USING parquet OPTIONS ('path' = '%s')", "json": "USING json OPTIONS ('path' = '%s')", "flight": "USING flight"} {
		t.Run(name, func(t *testing.T) {
			s := openAt(t, t.TempDir()).NewSession()
			if strings.Contains(using, "%s") {
				using = fmt.Sprintf(using, t.TempDir())
			}
			script(t, s, "CREATE TABLE b (k INT NOT NULL, s STRUCT<a: INT NOT NULL, b: INT>, xs ARRAY<STRUCT<d: INT NOT NULL>>, m MAP<STRING, STRUCT<e: INT NOT NULL>>) "+using)
			described := strings.Join(results(t, s, "DESCRIBE b"), " ")
			if said := strings.Contains(strings.ToLower(described), "not null"); said != (name == "flight") {
				t.Errorf("described as %s", described)
			}
			// The members of these are known to be there, which the table need not say.
			script(t, s, "INSERT INTO b SELECT 1, named_struct('a', 1, 'b', 2), array(named_struct('d', 3)), map('x', named_struct('e', 4))")
			for _, row := range []string{
				"NULL, named_struct('a', 1, 'b', 1), NULL, NULL",
				"2, named_struct('a', IF(id = 0, NULL, 1), 'b', 1), NULL, NULL",
				"3, NULL, array(named_struct('d', IF(id = 0, NULL, 1))), NULL",
				"4, NULL, NULL, map('x', named_struct('e', IF(id = 0, NULL, 1)))",
			} {
				_, err := s.Execute(context.Background(), "INSERT INTO b SELECT "+row+" FROM range(2)")
				if name == "flight" {
					wantError(t, err, "NOT_NULL_ASSERT_VIOLATION", "42000", "which is NOT NULL")
				} else if err != nil {
					t.Errorf("%s: %v", row, err)
				}
			}
			want := "1|{1, 2}|[{3}]|{x -> {4}}"
			if name != "flight" {
				want += " 2|{1, 1}|NULL|NULL 2|{null, 1}|NULL|NULL 3|NULL|[{1}]|NULL 3|NULL|[{null}]|NULL 4|NULL|NULL|{x -> {1}} 4|NULL|NULL|{x -> {null}} NULL|{1, 1}|NULL|NULL NULL|{1, 1}|NULL|NULL"
			}
			if got := strings.Join(results(t, s, "SELECT k, CAST(s AS STRING) AS t, CAST(xs AS STRING) AS u, CAST(m AS STRING) AS v FROM b ORDER BY k NULLS LAST, t, u, v"), " "); got != want {
				t.Errorf("got %s\nnot %s", got, want)
			}
			if got := strings.Join(results(t, s, "SELECT count(*) FROM b WHERE s IS NOT NULL AND s.a IS NULL"), " "); name != "flight" && got != "1" {
				t.Errorf("%s rows without a", got)
			}
			script(t, s, "CREATE TABLE made AS SELECT named_struct('a', 1) AS s; INSERT INTO made SELECT named_struct('a', CAST(NULL AS INT))")
		})
	}
}
