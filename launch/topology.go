package launch

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Flags are what a command line says of hosts and processes.
type Flags struct {
	Procs    int    // processes on this host (--nproc, or the number of --gpus); 0: not said
	Nodes    string // --nnodes: "2", or "1:4" for one to four; "": not said
	NodeRank int    // --node_rank; -1: not said
	Master   string // --master host:port; "": not said
	// Devices is the number of GPUs that are here, which Kubeflow's
	// PET_NPROC_PER_NODE=auto asks for. On a host without, it means one process,
	// which computes on all cores.
	Devices int
}

// A Topology says how many hosts and processes a run has, and which host this is.
type Topology struct {
	Nodes    int // the largest number of hosts
	MinNodes int // the run goes on with as few as these
	NodeRank int // of this host; host 0 keeps the store
	Procs    int // on this host
	Master   string
	Port     int // 0: a free one, on a single host
}

// Elastic says whether the run may go on with fewer hosts than Nodes.
func (t Topology) Elastic() bool { return t.MinNodes < t.Nodes }

// nodes is the number of hosts, as in --nnodes.
func (t Topology) nodes() string {
	if t.Elastic() {
		return fmt.Sprintf("%d:%d", t.MinNodes, t.Nodes)
	}
	return strconv.Itoa(t.Nodes)
}

// defaultPort is torchrun's.
const defaultPort = 29500

// The variables of torchrun's own flags, by which Kubeflow speaks to launchers.
var petNames = []string{"PET_NNODES", "PET_NPROC_PER_NODE", "PET_NODE_RANK", "PET_MASTER_ADDR", "PET_MASTER_PORT"}

// NewTopology puts together what flags, Kubeflow (PET_*) and Slurm (a step with
// one task a host) say. It is an error if they disagree, or leave something open.
func NewTopology(f Flags, getenv func(string) string) (Topology, error) {
	e := environment(getenv)
	if e.isWorker() {
		set, _ := e.split("RANK", "WORLD_SIZE", "LOCAL_RANK")
		return Topology{}, fmt.Errorf("launch: %s: a launcher has started this process already, so it cannot be given hosts or processes to start", strings.Join(set, " "))
	}
	if e.isSlurmTask() {
		return Topology{}, e.disagree("with several tasks a host each is a worker; to start processes itself it must be alone (--ntasks-per-node=1)", e.slurmTasks(), e.slurmNodes())
	}
	s := sources{f: f, e: e, slurm: e.asksSlurm(f)}
	t := Topology{}
	for _, read := range []func(*Topology) error{s.nodes, s.procs, s.nodeRank, s.master} {
		if err := read(&t); err != nil {
			return Topology{}, err
		}
	}
	return t, nil
}

// asksSlurm says whether Slurm may fill what is missing: not where flags say it
// all, or Kubeflow speaks.
func (e environment) asksSlurm(f Flags) bool {
	all := f.Nodes != "" && f.NodeRank >= 0 && f.Master != ""
	return e.inSlurmStep() && !all && !e.any("PET_NNODES", "PET_NODE_RANK", "PET_MASTER_ADDR")
}

// sources are where a topology comes from.
type sources struct {
	f     Flags
	e     environment
	slurm bool
}

// A claim is one source's value of something, and how it is written there.
type claim struct{ value, text string }

func flagClaim(name, value string) claim { return claim{value, name + " " + value} }

func (s sources) variable(name string) claim { return claim{s.e(name), name + "=" + s.e(name)} }

// agree is the value that all claims have which have one, and the claim.
func agree(claims ...claim) (claim, error) {
	var found claim
	for _, c := range claims {
		switch {
		case c.value == "":
		case found.value == "":
			found = c
		case found.value != c.value:
			return claim{}, fmt.Errorf("launch: %s and %s disagree", found.text, c.text)
		}
	}
	return found, nil
}

// number reads a claim.
func (c claim) number(low int) (int, error) {
	n, err := strconv.Atoi(c.value)
	if err != nil || n < low {
		return 0, fmt.Errorf("launch: %s: want a number of at least %d", c.text, low)
	}
	return n, nil
}

func (s sources) nodes(t *Topology) error {
	c, err := agree(flagClaim("--nnodes", s.f.Nodes), s.variable("PET_NNODES"))
	if err != nil {
		return err
	}
	t.MinNodes, t.Nodes = 1, 1
	if c.value != "" {
		low, high, several := strings.Cut(c.value, ":")
		if !several {
			high = low
		}
		a, err := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || a < 1 || b < a {
			return fmt.Errorf("launch: %s: want a number such as 2, or 1:4 for one to four", c.text)
		}
		t.MinNodes, t.Nodes = a, b
	}
	if !s.slurm {
		return nil
	}
	name := s.e.slurmNodes()
	n, err := s.e.number(name, 1)
	if err != nil {
		return err
	}
	if c.value == "" {
		t.MinNodes, t.Nodes = n, n
	} else if n < t.MinNodes || n > t.Nodes {
		return fmt.Errorf("launch: %s and %s=%d disagree", c.text, name, n)
	}
	return nil
}

func (s sources) procs(t *Topology) error {
	flag := claim{}
	if s.f.Procs > 0 {
		flag = claim{strconv.Itoa(s.f.Procs), fmt.Sprintf("%d processes by --gpus or --nproc", s.f.Procs)}
	}
	pet := s.variable("PET_NPROC_PER_NODE")
	switch {
	case !slices.Contains([]string{"auto", "gpu", "cpu"}, pet.value):
	case flag.value != "":
		pet.value = ""
	case pet.value == "gpu" && s.f.Devices == 0:
		return fmt.Errorf("launch: %s, but no GPU can be used here", pet.text)
	case pet.value == "cpu":
		pet.value = "1"
	default:
		pet.value = strconv.Itoa(max(1, s.f.Devices))
	}
	c, err := agree(flag, pet)
	if err != nil {
		return err
	}
	t.Procs = 1
	if c.value != "" {
		t.Procs, err = c.number(1)
	}
	return err
}

func (s sources) nodeRank(t *Topology) error {
	claims := []claim{s.variable("PET_NODE_RANK")}
	if s.f.NodeRank >= 0 {
		claims = append(claims, flagClaim("--node_rank", strconv.Itoa(s.f.NodeRank)))
	}
	if s.slurm {
		claims = append(claims, s.variable("SLURM_NODEID"))
	}
	c, err := agree(claims...)
	switch {
	case err != nil:
		return err
	case c.value == "" && t.Nodes == 1:
		return nil
	case c.value == "":
		return fmt.Errorf("launch: %d hosts: which of them is this? Give --node_rank (or PET_NODE_RANK)", t.Nodes)
	}
	if t.NodeRank, err = c.number(0); err == nil && t.NodeRank >= t.Nodes {
		return fmt.Errorf("launch: %s: want a number below %d, the number of hosts", c.text, t.Nodes)
	}
	return err
}

// master says where node 0 keeps the store. A single host needs no name.
func (s sources) master(t *Topology) error {
	if t.Nodes == 1 {
		t.Master = "127.0.0.1"
		return nil
	}
	host, port, err := s.flagMaster()
	if err != nil {
		return err
	}
	h, err := agree(host, s.variable("PET_MASTER_ADDR"))
	if err != nil {
		return err
	}
	p, err := agree(port, s.variable("PET_MASTER_PORT"))
	if err != nil {
		return err
	}
	if h.value == "" && s.slurm {
		t.Master, t.Port, err = s.e.slurmMaster()
		return err
	}
	if h.value == "" {
		return fmt.Errorf("launch: %d hosts: where is host 0? Give --master host:port (or PET_MASTER_ADDR and PET_MASTER_PORT)", t.Nodes)
	}
	t.Master, t.Port = h.value, defaultPort
	if p.value != "" {
		if t.Port, err = p.number(1); err == nil && t.Port > 65535 {
			err = fmt.Errorf("launch: %s: want a port of at most 65535", p.text)
		}
	}
	return err
}

// flagMaster takes --master apart; the port may be left out.
func (s sources) flagMaster() (host, port claim, err error) {
	text := "--master " + s.f.Master
	if s.f.Master == "" {
		return claim{}, claim{}, nil
	}
	if !strings.Contains(s.f.Master, ":") {
		return claim{s.f.Master, text}, claim{}, nil
	}
	h, p, err := net.SplitHostPort(s.f.Master)
	if err != nil || h == "" || p == "" {
		return claim{}, claim{}, fmt.Errorf("launch: %s: want host:port", text)
	}
	return claim{h, text}, claim{p, text}, nil
}
