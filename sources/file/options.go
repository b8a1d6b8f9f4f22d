package file

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/flightd/flightd/internal/base"
	"github.com/flightd/flightd/internal/roots"
	"github.com/flightd/flightd/sources"
	"github.com/flightd/flightd/sources/columnar"
)

// commonOptions are the options of every format.
func commonOptions() []string {
	return []string{"path", "maxFilesPerTrigger", "maxBytesPerTrigger", "latestFirst", "maxFileAge", "fileNameOnly", "pathGlobFilter",
		"recursiveFileLookup", "basePath", "cleanSource", "sourceArchiveDir", "maxCachedFiles", "discardCachedInputRatio",
		"modifiedBefore", "modifiedAfter", "ignoreMissingFiles", "ignoreCorruptFiles"}
}

// settings are the options of a directory, read and checked.
type settings struct {
	format  format
	disk    *roots.Set
	path    string // absolute; may be a pattern
	base    string // where partition directories begin; empty: at path
	filter  string
	deep    bool // every sub-directory is listed
	oldest  time.Duration
	newest  bool // newest files first
	byName  bool
	files   int64 // most files of an offset; 0 is no limit
	bytes   int64
	clean   cleanMode
	archive string
	zone    *time.Location
}

type cleanMode uint8

const (
	cleanOff cleanMode = iota
	cleanArchive
	cleanDelete
)

func readSettings(f format, cfg sources.Config) (*settings, error) {
	o := cfg.Options
	what := "source " + f.name
	if err := o.CheckKeys(what, append(commonOptions(), f.options...)); err != nil {
		return nil, err
	}
	s := &settings{format: f, disk: cfg.Disk, zone: cfg.Zone, filter: o.String("pathGlobFilter", "")}
	raw := strings.TrimSpace(o.String("path", ""))
	if raw == "" {
		return nil, base.Errorf(base.CodeInvalid, "%s needs the option path", what)
	}
	var err error
	if s.path, err = s.localPath(raw); err != nil {
		return nil, err
	}
	if b := o.String("basePath", ""); b != "" {
		if s.base, err = s.localPath(b); err != nil {
			return nil, err
		}
	}
	if _, err := filepath.Match(s.filter, "x"); err != nil {
		return nil, base.Errorf(base.CodeInvalid, "option pathGlobFilter: %q is not a pattern", s.filter)
	}
	for name, to := range map[string]*bool{"latestFirst": &s.newest, "fileNameOnly": &s.byName, "recursiveFileLookup": &s.deep} {
		if *to, err = o.Bool(name, false); err != nil {
			return nil, err
		}
	}
	for name, to := range map[string]*int64{"maxFilesPerTrigger": &s.files, "maxBytesPerTrigger": &s.bytes} {
		if *to, err = o.Int(name, 0); err != nil {
			return nil, err
		}
		if v, ok := o.Lookup(name); ok && *to <= 0 {
			return nil, base.Errorf(base.CodeInvalid, "option %s: %q is not a positive number", name, v)
		}
	}
	if s.files > 0 && s.bytes > 0 {
		return nil, base.Errorf(base.CodeInvalid, "%s: options maxFilesPerTrigger and maxBytesPerTrigger exclude each other", what)
	}
	if s.oldest, err = o.Duration("maxFileAge", 7*24*time.Hour); err != nil {
		return nil, err
	}
	if s.newest && (s.files > 0 || s.bytes > 0) { // the rest of the backlog is always older
		s.oldest = 0
	}
	if err := s.readClean(o); err != nil {
		return nil, err
	}
	return s, columnar.RefuseOptions(f.name, o, []columnar.Refusal{
		{Name: "modifiedBefore", Advice: "use pathGlobFilter, or a condition on a column"},
		{Name: "modifiedAfter", Advice: "use pathGlobFilter, or a condition on a column"},
		{Name: "ignoreMissingFiles", Unless: "false", Advice: "a file that was planned must be there"},
		{Name: "ignoreCorruptFiles", Unless: "false", Advice: "move the damaged file away"},
	})
}

func (s *settings) readClean(o base.Options) error {
	switch mode := strings.ToLower(o.String("cleanSource", "off")); mode {
	case "off":
		return nil
	case "delete":
		s.clean = cleanDelete
		return nil
	case "archive":
		s.clean = cleanArchive
	default:
		return base.Errorf(base.CodeInvalid, "option cleanSource: %q is none of off, archive, delete", mode)
	}
	dir := o.String("sourceArchiveDir", "")
	if dir == "" {
		return base.Errorf(base.CodeInvalid, "cleanSource archive needs the option sourceArchiveDir")
	}
	var err error
	if s.archive, err = s.localPath(dir); err != nil {
		return err
	}
	// Archived files must not be found again.
	root := fixedPart(s.path)
	if s.archive == root || strings.HasPrefix(s.archive+"/", root+"/") || strings.HasPrefix(root+"/", s.archive+"/") {
		return base.Errorf(base.CodeInvalid, "option sourceArchiveDir: %s and the source's %s must not contain each other", s.archive, root)
	}
	return nil
}

// localPath returns the absolute path that an option names, if it may be used.
func (s *settings) localPath(text string) (string, error) {
	path, err := localPath(text)
	if err == nil {
		err = s.disk.Check(path)
	}
	return path, err
}

// localPath returns the absolute path that an option names, as a path or as a
// file URI.
func localPath(s string) (string, error) {
	if scheme, _, ok := strings.Cut(s, ":/"); ok && !strings.ContainsAny(scheme, "/*?[{") {
		if scheme != "file" {
			return "", base.Errorf(base.CodeInvalid, "path %s: only local files are read, not %s", s, scheme)
		}
		u, err := url.Parse(s)
		if err != nil || u.Host != "" {
			return "", base.Errorf(base.CodeInvalid, "path %s is not a local path", s)
		}
		s = u.Path
	}
	if strings.ContainsRune(s, 0) {
		return "", base.Errorf(base.CodeInvalid, "path %q holds a zero byte", s)
	}
	abs, err := filepath.Abs(s)
	return abs, base.Wrap(err, "path %s", s)
}
