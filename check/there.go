package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// there looks whether a clip is there without opening it: the file, or the first
// picture of the folder and, if the last is asked for too, that one.
func (l *list) there(c clipLine, last bool) (f Finding, ok bool) {
	if !l.Frames {
		return look(c.path)
	}
	info, err := os.Stat(c.path)
	switch {
	case err != nil:
		return absent(c.path, err), false
	case !info.IsDir():
		return Finding{Kind: Missing, Message: "a file, not a folder of pictures"}, false
	}
	if f, ok = look(filepath.Join(c.path, l.Pattern.Name(1))); !ok {
		f.Message = l.Pattern.Name(1) + ": " + f.Message
		return f, false
	}
	if last && c.Frames > 1 {
		name := l.Pattern.Name(c.Frames)
		if f, ok = look(filepath.Join(c.path, name)); !ok {
			return Finding{Kind: MissingFrames, Message: fmt.Sprintf("%s: %s, though the list says %d pictures", name, f.Message, c.Frames)}, false
		}
	}
	return Finding{}, true
}

func look(path string) (f Finding, ok bool) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return absent(path, err), false
	case info.IsDir():
		return Finding{Kind: Unreadable, Message: "a folder, not a file"}, false
	case !info.Mode().IsRegular():
		return Finding{Kind: Unreadable, Message: "not a regular file"}, false
	case info.Size() == 0:
		return Finding{Kind: Unreadable, Message: "the file is empty"}, false
	}
	return Finding{}, true
}

func absent(path string, err error) Finding {
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return Finding{Kind: Missing, Message: "a link to a file that is not there"}
		}
		return Finding{Kind: Missing, Message: "not there"}
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return Finding{Kind: Missing, Message: err.Error()}
}
