package prepare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A record lies beside or in what was made, and says of what and how.
type record struct {
	Settings json.RawMessage `json:"settings"`
	Size     int64           `json:"source_bytes"`
	Modified time.Time       `json:"source_modified"`
	Pictures int             `json:"pictures"`
}

// errForeign is something at a place where it was not put by us.
var errForeign = errors.New("is there already and was not made by this command: move it away, or choose another folder with -o")

// recordOf is the record of a video of which nothing is made yet.
func recordOf(info os.FileInfo, settings json.RawMessage) record {
	return record{Settings: settings, Size: info.Size(), Modified: info.ModTime().UTC()}
}

// covers says that what has this record need not be made for want.
func (r record) covers(want record) bool {
	return r.Pictures > 0 && r.Size == want.Size && r.Modified.Equal(want.Modified) && bytes.Equal(r.Settings, want.Settings)
}

func (r record) text() ([]byte, error) { return json.Marshal(r) }

// maxRecord bounds a record, in bytes.
const maxRecord = 1 << 12

// readRecord reads a file, up to one byte more than a record may have.
func readRecord(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxRecord+1))
}

func parseRecord(text []byte) (record, error) {
	var r record
	if len(text) > maxRecord {
		return r, fmt.Errorf("a record of %d bytes", len(text))
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, err
	}
	var b bytes.Buffer
	if err := json.Compact(&b, r.Settings); err != nil {
		return record{}, err
	}
	r.Settings = b.Bytes()
	return r, nil
}
