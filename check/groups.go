package check

import "iter"

// eachGroup goes through sorted records twice, group by group of equal keys:
// look sees all of a group before tell sees its first. A group may be larger
// than memory.
func (s *sorter) eachGroup(begin func(), look, tell func(record) error) error {
	ahead, stopAhead := iter.Pull2(s.sorted())
	defer stopAhead()
	behind, stopBehind := iter.Pull2(s.sorted())
	defer stopBehind()
	next, err, ok := ahead()
	for ok && err == nil {
		begin()
		n, same := 0, next.key
		for ; ok && err == nil && next.key == same; n++ {
			if err := look(next); err != nil {
				return err
			}
			next, err, ok = ahead()
		}
		for ; n > 0; n-- {
			r, err, _ := behind()
			if err != nil {
				return err
			}
			if err := tell(r); err != nil {
				return err
			}
		}
	}
	return err
}
