package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// peerName is what a peer's name may be. It becomes part of a file's.
var peerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// CheckPeer reports what a peer cannot be called: names are up to 64 letters,
// digits and _, begin with a letter, and are not like the end of a checkpoint's.
func CheckPeer(name string) error {
	if !peerName.MatchString(name) {
		return fmt.Errorf("%q as a network's name: want letters, digits and _, a letter first, 64 at most", name)
	}
	if strings.HasPrefix(name, "iter_") {
		return fmt.Errorf("%q as a network's name: its files would look like a checkpoint within an epoch", name)
	}
	return nil
}

func checkPeers(names []string) error {
	for i, name := range names {
		if err := CheckPeer(name); err != nil {
			return err
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("two networks are called %s", name)
		}
	}
	return nil
}

// peerPath is how the names of a peer's files begin.
func peerPath(path, name string) string { return path + "_" + name }

// peersOf finds the files of peers of a checkpoint, whole or not. Its state knows
// them; without it, as a kill leaves it, they are known by their names alone.
func peersOf(path string) ([]string, error) {
	for _, state := range []string{path + stateExt, path + stateExt + asideExt} {
		if f, err := readState(state); err == nil {
			return f.peerFiles(path), nil
		}
	}
	return filesLikePeers(path)
}

func (f *files) peerFiles(path string) (names []string) {
	for _, p := range f.Peers {
		names = append(names, peerPath(path, p.Name)+optimExt, peerPath(path, p.Name)+paramsExt)
	}
	return names
}

func filesLikePeers(path string) (files []string, err error) {
	dirEntries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	for _, e := range dirEntries {
		name, ext, ok := stem(e.Name())
		peer, ours := strings.CutPrefix(name, peerPath(filepath.Base(path), ""))
		if ok && ours && ext != stateExt && CheckPeer(peer) == nil {
			files = append(files, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return files, nil
}
