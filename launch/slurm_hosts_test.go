package launch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pptsn/pptsn/launch"
)

// What scontrol show hostnames prints.
func TestSlurmHosts(t *testing.T) {
	for list, want := range map[string]string{
		"login1":                    "login1",
		"gpu[01-03,7],login1":       "gpu01 gpu02 gpu03 gpu7 login1",
		"n[9-11]":                   "n9 n10 n11",
		"n[098-101]":                "n098 n099 n100 n101",
		"rack[1-2]n[1,3]":           "rack1n1 rack1n3 rack2n1 rack2n3",
		"a[1-2]-ib,b.example.org,c": "a1-ib a2-ib b.example.org c",
	} {
		got, err := launch.SlurmHosts(list)
		if err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: got %v, %v, want %s", list, got, err, want)
		}
	}
	for _, list := range []string{"", "a,", ",a", "a[1", "a]1", "a[1[2]]", "a[]", "a[x]", "a[3-1]", "a[1-]", "a[0-99999999]", "a[0-999]b[0-999]"} {
		if got, err := launch.SlurmHosts(list); err == nil {
			t.Errorf("%q: got %d hosts", list, len(got))
		}
	}
}

func FuzzSlurmHosts(f *testing.F) {
	f.Add("gpu[01-03,7],rack[1-2]n[1,3]-ib")
	f.Fuzz(func(t *testing.T, list string) {
		hosts, err := launch.SlurmHosts(list)
		if err == nil && (len(hosts) == 0 || slices.ContainsFunc(hosts, func(h string) bool { return h == "" || strings.ContainsAny(h, "[],") })) {
			t.Errorf("%q: got %q", list, hosts)
		}
	})
}
