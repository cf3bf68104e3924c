package checkpoint

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// EpochName is the name after an epoch, counted from 1.
func EpochName(model string, epoch int) string {
	return fmt.Sprintf("%s_epoch_%05d", model, epoch)
}

// IterName is the name within an epoch, counted from 1, after so many of its
// iterations.
func IterName(model string, epoch, iterations int) string {
	return fmt.Sprintf("%s_iter_%06d", EpochName(model, epoch), iterations)
}

// BestName is the name of the best checkpoint of a run.
func BestName(model string) string { return model + "_best" }

// A place is where in a run a checkpoint was made.
type place struct {
	epochs     int // finished
	iterations int // of the next epoch; 0 between epochs
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.epochs, q.epochs), cmp.Compare(p.iterations, q.iterations))
}

// Longer numbers than these are not ours and could overflow.
var placeName = regexp.MustCompile(`_epoch_(\d{5,9})(?:_iter_(\d{6,9}))?$`)

// parseName finds the place in a name that EpochName or IterName made, and the
// model it begins with.
func parseName(name string) (model string, p place, ok bool) {
	m := placeName.FindStringSubmatch(name)
	if m == nil {
		return "", place{}, false
	}
	model = strings.TrimSuffix(name, m[0])
	epoch, _ := strconv.Atoi(m[1]) // digits, by the pattern
	p.epochs, ok = epoch, EpochName(model, epoch) == name
	if m[2] != "" {
		p.epochs = epoch - 1
		p.iterations, _ = strconv.Atoi(m[2])
		ok = p.iterations > 0 && IterName(model, epoch, p.iterations) == name
	}
	return model, p, ok && model != "" && epoch > 0
}

// stem splits the name of a file of a checkpoint.
func stem(file string) (name, ext string, ok bool) {
	for _, ext := range []string{stateExt, paramsExt, optimExt} {
		if name, ok := strings.CutSuffix(file, ext); ok {
			return name, ext, true
		}
	}
	return file, "", false
}
