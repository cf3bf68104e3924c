package launch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// mostHosts bounds what a short text can be expanded to.
const mostHosts = 1 << 16

// SlurmHosts expands a list of hosts as Slurm writes it: "gpu[01-03,7],login1"
// is gpu01, gpu02, gpu03, gpu7, login1.
func SlurmHosts(list string) ([]string, error) {
	var hosts []string
	for rest := list; ; {
		name, after, more, err := cutHost(rest)
		if err == nil {
			var some []string
			some, err = expand(name)
			hosts = append(hosts, some...)
		}
		if err == nil && len(hosts) > mostHosts {
			err = fmt.Errorf("more than %d hosts", mostHosts)
		}
		if err != nil {
			return nil, fmt.Errorf("list of hosts %q: %w", list, err)
		}
		if !more {
			return hosts, nil
		}
		rest = after
	}
}

// cutHost splits at the first comma outside of brackets.
func cutHost(list string) (name, after string, more bool, err error) {
	open := false
	for i, c := range list {
		switch {
		case c == '[' && open, c == ']' && !open:
			return "", "", false, errors.New("brackets do not match")
		case c == '[' || c == ']':
			open = c == '['
		case c == ',' && !open:
			return list[:i], list[i+1:], true, nil
		}
	}
	if open {
		return "", "", false, errors.New("brackets do not match")
	}
	return list, "", false, nil
}

// expand writes out the brackets of one name, from left to right.
func expand(name string) ([]string, error) {
	if name == "" {
		return nil, errors.New("a host without a name")
	}
	before, rest, ok := strings.Cut(name, "[")
	if !ok {
		return []string{name}, nil
	}
	inside, after, _ := strings.Cut(rest, "]")
	numbers, err := ranges(inside)
	if err != nil {
		return nil, err
	}
	ends := []string{""}
	if after != "" {
		if ends, err = expand(after); err != nil {
			return nil, err
		}
	}
	if len(numbers)*len(ends) > mostHosts {
		return nil, fmt.Errorf("more than %d hosts", mostHosts)
	}
	var hosts []string
	for _, n := range numbers {
		for _, end := range ends {
			hosts = append(hosts, before+n+end)
		}
	}
	return hosts, nil
}

// ranges reads "01-03,7": 01, 02, 03, 7. Zeros in front are kept.
func ranges(list string) ([]string, error) {
	var numbers []string
	for _, part := range strings.Split(list, ",") {
		low, high, span := strings.Cut(part, "-")
		if !span {
			high = low
		}
		a, err := strconv.ParseUint(low, 10, 31)
		b, err2 := strconv.ParseUint(high, 10, 31)
		if err != nil || err2 != nil || b < a {
			return nil, fmt.Errorf("%q: want numbers such as 01-03,7", part)
		}
		if b-a >= mostHosts || len(numbers) > mostHosts {
			return nil, fmt.Errorf("more than %d hosts", mostHosts)
		}
		for n := a; n <= b; n++ {
			numbers = append(numbers, fmt.Sprintf("%0*d", len(low), n))
		}
	}
	return numbers, nil
}
