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

// besideName is what follows a model's name and _ in that of a peer.
var besideName = regexp.MustCompile(`^(?:best|epoch_\d{5,9}(?:_iter_\d{6,9})?)_([A-Za-z]\w*)$`)

// Strangers names, without extensions, the files beside a model's checkpoints
// whose names are like those of a peer, but of none of the given: an earlier
// run's, or copies that a user made. A run neither reads nor replaces them.
func Strangers(dir, model string, peers []string) (names []string, err error) {
	dirEntries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	for _, e := range dirEntries {
		name, ext, ok := stem(e.Name())
		if ok && ext != stateExt && isStranger(name, model, peers) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func isStranger(name, model string, peers []string) bool {
	rest, ours := strings.CutPrefix(name, model+"_")
	m := besideName.FindStringSubmatch(rest)
	if _, _, another := parseName(name); another || !ours || m == nil {
		return false // another is a checkpoint itself, perhaps of a longer name
	}
	return CheckPeer(m[1]) == nil && !slices.Contains(peers, m[1])
}
