package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/pptsn/pptsn/torch"
)

func (d *diagnosis) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// textHost is what is known before ranks meet, but for the problems.
func (d *diagnosis) textHost(w io.Writer) {
	fmt.Fprintf(w, "host         %s, %s, %.1f GiB\n", d.Host, countOf(d.Cores, "core"), float64(d.Memory)/(1<<30))
	d.textTorch(w)
	for _, i := range d.Interfaces {
		used := ""
		if i.Used {
			used = "  <- towards host 0"
		}
		fmt.Fprintf(w, "network      %-10s %s%s\n", i.Name, strings.Join(i.Addresses, " "), used)
	}
	for _, v := range d.Environment {
		fmt.Fprintf(w, "environment  %s\n", v)
	}
	fmt.Fprintf(w, "read as      %s\n", d.Role)
	if d.Master != "" {
		fmt.Fprintf(w, "host 0       %s\n", d.Master)
	}
}

// textRest is all else.
func (d *diagnosis) textRest(w io.Writer) {
	if d.Ranks != nil {
		d.Ranks.text(w)
	}
	if len(d.Problems) == 0 {
		fmt.Fprintln(w, "problems     none")
	}
	for _, p := range d.Problems {
		kind := "note"
		if p.Needed {
			kind = "problem"
		}
		fmt.Fprintf(w, "%-12s %s\n", kind, p.What)
		if p.Do != "" {
			fmt.Fprintf(w, "             %s\n", p.Do)
		}
	}
}

func (d *diagnosis) textTorch(w io.Writer) {
	if d.Torch.Version != "" {
		fmt.Fprintf(w, "libtorch     %s, with %s\n", d.Torch.Version, backends(d.Torch.Backends))
	}
	for _, file := range d.Torch.Files {
		fmt.Fprintf(w, "             %s\n", file)
	}
	fmt.Fprintf(w, "GPUs         %d can be used\n", d.CUDA)
	for _, g := range d.GPUs {
		fmt.Fprintf(w, "             %s\n", g)
	}
}

func backends(list []torch.Backend) string {
	if len(list) == 0 {
		return "neither Gloo nor NCCL"
	}
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = string(b)
	}
	return strings.Join(names, " and ")
}

func (r *ranksFacts) text(w io.Writer) {
	for _, k := range r.Ranks {
		clock := ""
		if k.Rank > 0 {
			clock = fmt.Sprintf(", clock %+.4f s against rank 0", k.Clock)
		}
		fmt.Fprintf(w, "rank %-7d %s, pid %d, %s%s\n", k.Rank, k.Host, k.Pid, k.Device, clock)
	}
	fmt.Fprintf(w, "all-reduce   %10s %12s %10s %10s  (%s)\n", "bytes", "time", "GB/s", "bus GB/s", r.Backend)
	for _, t := range r.AllReduce {
		fmt.Fprintf(w, "             %10d %12s %10.3f %10.3f\n", t.Bytes, time.Duration(t.Seconds*1e9).Round(time.Microsecond), t.Bandwidth/1e9, t.Bus/1e9)
	}
}
