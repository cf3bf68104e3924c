package launch

import (
	"fmt"
	"strconv"
	"strings"
)

// An environment is where variables are looked up, as os.Getenv does.
type environment func(string) string

// split tells variables that have a value, as NAME=value, from those that have none.
func (e environment) split(names ...string) (set, missing []string) {
	for _, n := range names {
		if v := e(n); v != "" {
			set = append(set, n+"="+v)
		} else {
			missing = append(missing, n)
		}
	}
	return set, missing
}

// any says whether one of the variables has a value.
func (e environment) any(names ...string) bool {
	set, _ := e.split(names...)
	return len(set) > 0
}

// first is the first of the names that has a value, or the last one.
func (e environment) first(names ...string) string {
	for _, n := range names {
		if e(n) != "" {
			return n
		}
	}
	return names[len(names)-1]
}

// number reads a variable that holds a number of at least low.
func (e environment) number(name string, low int) (int, error) {
	v := e(name)
	n, err := strconv.Atoi(v)
	if err != nil || n < low {
		return 0, fmt.Errorf("launch: %s=%s: want a number of at least %d", name, v, low)
	}
	return n, nil
}

// disagree is the error of variables that cannot all be true.
func (e environment) disagree(why string, names ...string) error {
	set, _ := e.split(names...)
	return fmt.Errorf("launch: %s disagree: %s", strings.Join(set, " and "), why)
}
