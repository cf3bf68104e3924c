package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A networkInterface is one that is up.
type networkInterface struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Used      bool     `json:"used"` // towards host 0
}

// reachTime is how long to wait for an answer of host 0.
const reachTime = 3 * time.Second

func (d *diagnosis) network(part role) {
	all, err := net.Interfaces()
	if err != nil {
		d.add(false, "", "network interfaces: %v", err)
	}
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		n := networkInterface{Name: i.Name, Addresses: []string{}}
		addresses, _ := i.Addrs() // an interface that went is one without
		for _, a := range addresses {
			n.Addresses = append(n.Addresses, a.String())
		}
		d.Interfaces = append(d.Interfaces, n)
	}
	if name := os.Getenv("GLOO_SOCKET_IFNAME"); name != "" && !d.hasInterface(name) {
		d.add(true, "set it to one of the interfaces listed, or unset it", "GLOO_SOCKET_IFNAME=%s: there is no such interface that is up", name)
	}
	host, port, first := part.master()
	if host == "" {
		return
	}
	d.towards(host)
	if first {
		d.bind(host, port)
	} else {
		d.reach(host, port)
	}
}

func (d *diagnosis) hasInterface(name string) bool {
	return slices.ContainsFunc(d.Interfaces, func(i networkInterface) bool { return i.Name == name })
}

// towards marks the interface by which a host is reached. No packet is sent but
// those that find its address.
func (d *diagnosis) towards(host string) {
	c, err := net.Dial("udp", net.JoinHostPort(host, "9"))
	if err != nil {
		d.add(true, "name host 0 as this host knows it, or by its address", "%s: %v", host, err)
		return
	}
	defer c.Close()
	mine := c.LocalAddr().(*net.UDPAddr).IP.String()
	for i := range d.Interfaces {
		n := &d.Interfaces[i]
		n.Used = slices.ContainsFunc(n.Addresses, func(a string) bool { return strings.HasPrefix(a, mine+"/") })
	}
}

// bind looks whether this host can keep the store.
func (d *diagnosis) bind(host string, port int) {
	d.Master = fmt.Sprintf("this host keeps the store at %s", net.JoinHostPort(host, strconv.Itoa(port)))
	if !d.mine(host) {
		d.add(false, "is --node_rank right, and does --master name host 0? Through a service or NAT it may be right all the same", "%s is no address of this host, which is host 0", host)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
	if err != nil {
		d.add(true, "end what uses the port (ss -ltnp), perhaps an earlier run, or choose another one", "port %d: %v", port, err)
		return
	}
	l.Close()
	d.Master += "; the port is free"
}

// mine says whether a name is of one of this host's addresses.
func (d *diagnosis) mine(host string) bool {
	addresses, _ := net.LookupHost(host) // towards has told if there are none
	for _, i := range d.Interfaces {
		for _, a := range i.Addresses {
			ip, _, _ := strings.Cut(a, "/")
			if slices.Contains(addresses, ip) {
				return true
			}
		}
	}
	return false
}

// reach looks whether host 0 answers. It may not have begun yet.
func (d *diagnosis) reach(host string, port int) {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	c, err := net.DialTimeout("tcp", address, reachTime)
	switch {
	case err == nil:
		c.Close()
		d.Master = "the store at " + address + " answers"
	case errors.Is(err, syscall.ECONNREFUSED):
		d.Master = "the host of " + address + " answers, nobody listens there yet: start the same on host 0"
	default:
		d.Master = address + " does not answer"
		d.add(false, "is the host up, the name right, and the port open in firewalls between the hosts?", "%v", err)
	}
}

// master is where the store is, and whether this host keeps it; "" where there
// is none to find.
func (p role) master() (host string, port int, first bool) {
	switch {
	case p.world != nil:
		return p.world.Master, p.world.Port, p.world.Serve
	case p.launch != nil && p.launch.Nodes > 1:
		return p.launch.Master, p.launch.Port, p.launch.NodeRank == 0
	}
	return "", 0, false
}

// several says whether processes are to work together.
func (p role) several() bool {
	return p.world != nil && p.world.Size > 1 || p.launch != nil && (p.launch.Nodes > 1 || p.launch.Procs > 1)
}

// String says what the process is.
func (p role) String() string {
	switch {
	case p.world != nil:
		w := p.world
		return fmt.Sprintf("a worker: rank %d of %d, number %d of its host, round %d, store at %s", w.Rank, w.Size, w.LocalRank, w.Round, net.JoinHostPort(w.Master, strconv.Itoa(w.Port)))
	case p.launch == nil:
		return "one process, alone"
	case p.launch.Nodes == 1:
		return fmt.Sprintf("a launcher of %s", countOf(p.launch.Procs, "process"))
	}
	t := p.launch
	hosts := strconv.Itoa(t.Nodes)
	if t.Elastic() {
		hosts = fmt.Sprintf("%d to %d", t.MinNodes, t.Nodes)
	}
	return fmt.Sprintf("a launcher: host %d of %s, %s here, store at %s", t.NodeRank, hosts, countOf(t.Procs, "process"), net.JoinHostPort(t.Master, strconv.Itoa(t.Port)))
}
