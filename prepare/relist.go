package prepare

import (
	"bytes"
	"path/filepath"
)

// relist is the lists of a plan again, with what was made in place of the
// videos: pictures[i] of source i, 0 if nothing was, which leaves it out.
func (p *Plan) relist(m maker, pictures []int32) ([]File, error) {
	var files []File
	for _, list := range p.lists {
		var b bytes.Buffer
		for _, r := range list.rows {
			if pictures[r.source] == 0 {
				continue
			}
			line, err := m.line(p.Sources[r.source].Name+m.suffix(), int(pictures[r.source]), int(r.label))
			if err != nil {
				return nil, err
			}
			b.WriteString(line)
			b.WriteByte('\n')
		}
		files = append(files, File{Name: p.listName(list, m), Data: b.Bytes(), Report: true})
	}
	return files, nil
}

// listName is the name under which a list is written.
func (p *Plan) listName(list planned, m maker) string {
	return stem(filepath.ToSlash(list.file)) + "_" + m.kind() + ".list"
}
