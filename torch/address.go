package torch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// A path is a connection's two ends.
type path struct{ here, store netip.Addr }

// path finds out how the store's host is reached.
func (s *Store) path(ctx context.Context) (path, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	p, err := s.knock(ctx)
	if err != nil {
		return p, s.wrap("connect", err)
	}
	return p, nil
}

func ip(a net.Addr) netip.Addr { return a.(*net.TCPAddr).AddrPort().Addr().Unmap() }

// address is where this rank takes connections of others: this end of its way
// to the store. On the store's own host that may be a loopback address, since
// Debian's /etc/hosts says 127.0.1.1 for the host's name; ranks elsewhere
// know a better one. All ranks have said theirs.
func (g *Group) address(ctx context.Context) (netip.Addr, error) {
	if !g.way.here.IsLoopback() || g.o.Backend != Gloo || g.o.Interface != "" {
		return g.way.here, nil
	}
	beats, err := g.heart.read(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, b := range beats {
		if a, err := netip.ParseAddr(b.Store); err == nil && !a.IsLoopback() {
			return a, g.mine(a, b.Host)
		}
	}
	return g.way.here, nil // all are on one host
}

// mine reports an address that is none of this host's, as behind a port that is
// forwarded.
func (g *Group) mine(a netip.Addr, host string) error {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
	if err != nil {
		return fmt.Errorf("the store's host is %v here, which others cannot reach, and %v for host %s, which is no address of this one (%w): set GLOO_SOCKET_IFNAME to the interface by which hosts reach each other",
			g.way.store, a, host, err)
	}
	return l.Close()
}
