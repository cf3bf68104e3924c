package train

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pptsn/pptsn/checkpoint"
	"github.com/pptsn/pptsn/distill"
	"github.com/pptsn/pptsn/tsn"
)

// roles say of the networks of a distillation, by name, whether they learn.
type roles map[string]bool

// check finds what keeps the student of a job from learning so.
func (d *Distillation) check(j *Job) error {
	r, err := d.roles()
	if err != nil {
		return err
	}
	for _, s := range d.Stored {
		if err := s.check(j); err != nil {
			return err
		}
	}
	all := d.parts()
	for _, t := range d.Teachers {
		all = append(all, tsn.Part{Name: t.Name, Network: t.Network})
	}
	if _, err := tsn.Join(j.Network, all); err != nil { // inputs and classes differ
		return fmt.Errorf("train: %w", err)
	}
	return d.checkTerms(r)
}

// roles finds names that are not fit, or are there twice.
func (d *Distillation) roles() (roles, error) {
	r := roles{distill.Student: true}
	var errs []error
	for _, p := range d.Peers {
		errs = append(errs, r.add(p.Name, true))
	}
	for _, t := range d.Teachers {
		errs = append(errs, r.add(t.Name, false))
	}
	for _, s := range d.Stored {
		errs = append(errs, r.add(s.Name, false))
	}
	return r, errors.Join(errs...)
}

func (r roles) add(name string, learns bool) error {
	if err := checkpoint.CheckPeer(name); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if _, ok := r[name]; ok || name == distill.GroundTruth {
		return fmt.Errorf("train: the name %s is taken: call the network otherwise", name)
	}
	r[name] = learns
	return nil
}

// check finds scores that are not those of the job's clips.
func (s Stored) check(j *Job) error {
	if n := j.Data.Len(); len(s.Scores) != n {
		return fmt.Errorf("train: %s has scores of %d clips, the training list has %d: make them of this list", s.Name, len(s.Scores), n)
	}
	for i, v := range s.Scores {
		if k := j.Network.Spec.Classes; len(v) != k {
			return fmt.Errorf("train: %s has %d scores for %s, the student has %d classes", s.Name, len(v), j.Data.Sample(i).Path, k)
		}
		if !finite(v) {
			return fmt.Errorf("train: %s has a score for %s that is not finite", s.Name, j.Data.Sample(i).Path)
		}
	}
	return nil
}

// checkTerms finds terms that cannot be computed or teach nobody, and networks
// without a lesson.
func (d *Distillation) checkTerms(r roles) error {
	taught, used := map[string]bool{}, map[string]bool{}
	for _, t := range d.Terms {
		if err := d.checkTerm(t, r); err != nil {
			return fmt.Errorf("train: %w", err)
		}
		used[t.Of], used[t.To] = true, true
		for _, name := range t.Learns() {
			taught[name] = taught[name] || t.Weight > 0
		}
	}
	return d.covers(r, taught, used)
}

// covers finds networks that no term teaches, though they learn, or reads.
func (d *Distillation) covers(r roles, taught, used map[string]bool) error {
	if !taught[distill.Student] {
		return errors.New("train: no term of the loss teaches the Student")
	}
	for _, p := range d.Peers {
		if !taught[p.Name] {
			return fmt.Errorf("train: no term of the loss teaches %s: freeze it (True in freeze_params_list), or give it one", p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if !used[name] {
			return fmt.Errorf("train: no term of the loss reads the scores of %s: leave it out, or add one", name)
		}
	}
	return nil
}

func (d *Distillation) checkTerm(t distill.Term, r roles) error {
	if err := t.Validate(); err != nil {
		return err
	}
	for _, name := range []string{t.Of, t.To} {
		if _, ok := r[name]; !ok && name != distill.GroundTruth {
			return fmt.Errorf("%s of [%s, %s]: there is no network %s", t.Kind, t.Of, t.To, name)
		}
	}
	if !slices.ContainsFunc(t.Learns(), func(name string) bool { return r[name] }) {
		return fmt.Errorf("%s of [%s, %s] teaches nobody: %s does not learn", t.Kind, t.Of, t.To, t.Of)
	}
	if t.Kind == distill.DML && t.Act != distill.Softmax && (d.stored(t.Of) || d.stored(t.To)) {
		return fmt.Errorf("%s of [%s, %s]: act %q of stored scores: of mixed clips their softmax alone is known, so want %s", t.Kind, t.Of, t.To, t.Act, distill.Softmax)
	}
	return nil
}

func (d *Distillation) stored(name string) bool {
	return slices.ContainsFunc(d.Stored, func(s Stored) bool { return s.Name == name })
}
