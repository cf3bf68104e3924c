package fetch

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/pptsn/pptsn/atomicfile"
)

// about says of which file on the server a part is.
type about struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	Size         int64  `json:"size"` // -1: the server did not say
}

// aboutOf reads the headers of a whole answer.
func aboutOf(r *http.Response) about {
	return about{r.Header.Get("ETag"), r.Header.Get("Last-Modified"), r.ContentLength}
}

// validator is what If-Range needs to tell that the file is still the same
// (RFC 9110, section 13.1.5): an ETag that stands for every byte, else the time of
// the last change; "" if the server gave neither.
func (a about) validator() string {
	if a.ETag != "" && !strings.HasPrefix(a.ETag, "W/") {
		return a.ETag
	}
	return a.LastModified
}

func (a about) write(path string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(a) })
}

// readAbout returns the zero about where there is none to be read: the part then
// starts anew.
func readAbout(path string) (a about) {
	f, err := os.Open(path)
	if err != nil {
		return about{}
	}
	defer f.Close()
	if json.NewDecoder(io.LimitReader(f, 1<<16)).Decode(&a) != nil {
		return about{}
	}
	return a
}
