// Package launch makes one run of many processes: a launcher on each host
// starts the workers there, all launchers agree on who has which rank, and when
// a worker or a host is lost all begin again.
//
// A worker learns its place from the environment, which is torchrun's, so that
// others can start it as well (FromEnvironment). A launcher learns how many
// hosts and processes there are from flags, from Kubeflow or from Slurm
// (NewTopology). Job.Run is a launcher.
//
// # How launchers agree
//
// The launcher of node 0 keeps c10d's TCPStore. Launchers and workers are its
// clients. Launchers use three kinds of keys, below "launch/ID/", where ID is
// another one for each store, so that what was meant for a store that is gone
// never counts:
//
//	members   a counter; a launcher that joins adds one and is the sum
//	member/M  what launcher M says of itself (status): node, host, number of
//	          processes, how its workers are, and a number that grows with
//	          every beat; only M writes it, every second and at every change
//	order/K   the K-th thing that all do (order): start a round, stop it, or
//	          finish; or one launcher is refused, since its node rank is that of
//	          another; only node 0 writes them, each once
//
// Beside them "launch" holds ID. There are no other messages. Node 0 reads what
// the members say and decides (keeper); it keeps the time by its own clock
// alone, so clocks need not agree:
//
//	gathering  until all nodes are there and none runs workers, or, with fewer
//	           than the largest number, until enough are there and nobody has
//	           come for a while; then order "start", with the ranks of each
//	running    until a worker fails, a member is silent or comes anew, a new one
//	           joins, somebody is interrupted: then order "stop"; or until all
//	           workers have ended well: then order "finish"
//	stopping   until each member of the round has no workers any more or is
//	           silent; then "finish", or gathering again
//
// A failed worker uses up a restart. A change of membership does not: a host
// that is lost takes workers of other hosts along, so which of both it was is
// decided only when all have answered.
//
// A launcher that cannot reach the store, or finds another one there, ends its
// workers and joins anew, for as long as JoinTimeout: so node 0 may be lost and
// come back like any other. It brings the number of the last round with it.
//
// # Signals and exit statuses
//
// A worker gets SIGTERM once, and SIGKILL if it has not ended after Grace, or
// after Saving where it was asked to save. It is in a process group of its own,
// so a Ctrl-C at the terminal reaches it through the launcher alone.
//
//	0         the worker has done its work
//	130, 143  it was interrupted, has saved, and the run can go on later (or it
//	          died of SIGTERM or SIGINT). Where no launcher asked for it, it
//	          means all: they are asked to save and end
//	2         the command line is wrong: no restart can help. A stack trace of Go
//	          ends with 2 as well and is told apart by its head
//	others    a failure, as death by any other signal
//
// A launcher whose context ends asks all workers of the run to save and end, not
// only its own. Workers do not outlive it, however it dies (on Linux).
package launch
