package pth

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/pptsn/pptsn/pickle"
)

// The numbers that begin a legacy file.
const (
	legacyMagic    = "1950a86a20f9469cfc6c" // hexadecimal
	legacyProtocol = 1001
)

// A legacy is a file of the older format: pickles of the magic number, the
// protocol, facts of the system, the object, the keys of the storages; then the
// storages, each after its number of elements.
type legacy struct {
	storages map[string]*storage
	views    map[string]*storage // parts of storages, which PyTorch before 0.4 wrote
	parts    []part
}

// A part is a view of a storage whose place is known at the end.
type part struct {
	of, is *storage
	offset int64 // elements
}

func (f *File) readLegacy(src *pickle.Source) error {
	l := &legacy{storages: map[string]*storage{}, views: map[string]*storage{}}
	none := rules(nil)
	if err := readHead(src, none); err != nil {
		return err
	}
	_, root, err := pickle.Load(src, rules(l.storage))
	if err != nil {
		return explain(err)
	}
	m, keys, err := pickle.Load(src, none)
	if err != nil {
		return explain(err)
	}
	if err := l.place(m, keys); err != nil {
		return err
	}
	return f.enter(root)
}

// readHead reads the pickles before the object.
func readHead(src *pickle.Source, r *pickle.Rules) (err error) {
	var head [3]any
	var m *pickle.Machine
	for i := range head {
		if m, head[i], err = pickle.Load(src, r); err != nil {
			return err
		}
	}
	defer pickle.Catch(&err)
	if n, ok := head[0].(*big.Int); !ok || n.Text(16) != legacyMagic {
		m.Fail("the magic number is %s", pickle.Kind(head[0]))
	}
	if head[1] != int64(legacyProtocol) {
		m.Unsupported("protocol %s of torch.save: want %d", pickle.Kind(head[1]), legacyProtocol)
	}
	if system, ok := head[2].(*pickle.Dict); ok {
		if little, ok := system.Get("little_endian"); ok && little != true {
			m.Unsupported("a file of a big-endian machine")
		}
	}
	return nil
}

// storage returns what a persistent id stands for: a storage, or a part of one.
func (l *legacy) storage(m *pickle.Machine, v any) any {
	id := readID(m, v)
	s, ok := l.storages[id.key]
	if !ok {
		s = &storage{key: id.key, typ: id.typ, n: id.n, off: -1}
		l.storages[id.key] = s
	}
	if s.typ != id.typ || s.n != id.n {
		m.Fail("storage %.40q is of two sizes", id.key)
	}
	if id.view == nil {
		return s
	}
	return l.part(m, s, id.view)
}

// part takes (key, offset, elements).
func (l *legacy) part(m *pickle.Machine, s *storage, v any) any {
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) != 3 {
		m.Fail("a part of a storage that is %s", pickle.Kind(v))
	}
	key, ok := t[0].(*pickle.Text)
	offset, ok2 := t[1].(int64)
	n, ok3 := t[2].(int64)
	if !ok || !ok2 || !ok3 || offset < 0 || n < 0 || offset > s.n || n > s.n-offset {
		m.Fail("a part of a storage that is %s from %s of %s", pickle.Kind(t[2]), pickle.Kind(t[1]), pickle.Kind(t[0]))
	}
	if p, ok := l.views[m.Str(key)]; ok {
		return p
	}
	p := &storage{key: m.Str(key), typ: s.typ, n: n, off: -1}
	l.views[p.key] = p
	l.parts = append(l.parts, part{s, p, offset})
	return p
}

// place finds the storages, which stand in the order of their keys.
func (l *legacy) place(m *pickle.Machine, keys any) (err error) {
	defer pickle.Catch(&err)
	list, ok := keys.(*pickle.List)
	if !ok {
		m.Fail("the keys of the storages are %s", pickle.Kind(keys))
	}
	for _, k := range list.Items {
		m.Check(l.keyed(m, k).skip(m.Src))
	}
	for key, s := range l.storages {
		if s.off < 0 {
			m.Fail("storage %.40q is missing", key)
		}
	}
	for _, p := range l.parts {
		p.is.off = p.of.off + p.offset*int64(p.of.typ.Size())
	}
	return nil
}

// keyed is the storage of a key that has no place yet.
func (l *legacy) keyed(m *pickle.Machine, key any) *storage {
	t, ok := key.(*pickle.Text)
	if !ok {
		m.Fail("a storage's key is %s", pickle.Kind(key))
	}
	s, ok := l.storages[m.Str(t)]
	if !ok || s.off >= 0 {
		m.Fail("the keys of the storages name %.40q, which the object does not", m.Str(t))
	}
	return s
}

// skip notes where s is and goes on behind it.
func (s *storage) skip(src *pickle.Source) error {
	at := src.Pos()
	b, err := src.Next(8)
	if err != nil {
		return err
	}
	if n := binary.LittleEndian.Uint64(b); n != uint64(s.n) {
		return &pickle.FormatError{Offset: at, Msg: fmt.Sprintf("storage %.40q has %d elements, want %d", s.key, n, s.n)}
	}
	s.off = src.Pos()
	size := int64(s.typ.Size())
	if s.n > (src.Size()-s.off)/size {
		return &pickle.FormatError{Offset: at, Msg: fmt.Sprintf("the file is cut short: storage %.40q of %d elements", s.key, s.n)}
	}
	_, err = src.Skip(s.n * size)
	return err
}
