package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pptsn/pptsn/distill"
)

// A Distillation is MODEL of the framework RecognizerDistillation: what the
// student, which Config.Model gives, learns with and from. Names are those of
// MODEL.models, letters, digits and _, and differ.
type Distillation struct {
	Peers    []Partner // learn beside the student: freeze_params_list has False for them
	Teachers []Partner // do not learn; their Model.Weights are not ""
	Stored   []Scores
	Terms    []distill.Term // MODEL.loss.Train: the loss is their sum
}

// A Partner is a network other than the student.
type Partner struct {
	Name  string
	Model Model
}

// Scores stand for a network that need not be here (scores, a key of our own).
type Scores struct {
	Name  string
	Files []string // dumps of a test over DATASET.train's list; several: their probabilities are averaged
}

// Distillation is how the student learns from other networks, nil where MODEL is
// one network.
func (c *Config) Distillation() (*Distillation, error) {
	if c.model == nil {
		return nil, c.missing("MODEL")
	}
	return c.learnsFrom, nil
}

// A member is one of MODEL.models.
type member struct {
	name   string
	key    string // dotted
	frozen bool
	model  Model
	scores []string // instead of a network
}

// distillation reads MODEL. Of errors that follow from others it is silent.
func (s *section) distillation() (*Model, *Distillation) {
	before := len(s.d.errs)
	s.require("framework", "models", "loss")
	s.only("runtime_cfg", "no network here reads it")
	members := s.members()
	sync := s.bool("sync_bn", false)
	d := &Distillation{}
	if loss := s.section("loss"); loss != nil {
		d.Terms = loss.losses()
	}
	s.done()
	student := new(Model)
	for _, m := range members {
		m.model.SyncBN = sync
		if m.name == distill.Student {
			student = &m.model
			continue
		}
		d.add(m)
	}
	if len(s.d.errs) == before {
		s.d.together(members, d.Terms)
	}
	return student, d
}

func (d *Distillation) add(m *member) {
	switch {
	case m.scores != nil:
		d.Stored = append(d.Stored, Scores{m.name, m.scores})
	case m.frozen:
		d.Teachers = append(d.Teachers, Partner{m.name, m.model})
	default:
		d.Peers = append(d.Peers, Partner{m.name, m.model})
	}
}

func (s *section) members() []*member {
	items := s.items("models", "a list of models such as \"- Student: {backbone: ..., head: ...}\"")
	frozen := s.bools("freeze_params_list")
	s.check("freeze_params_list", frozen == nil || len(frozen) == len(items), fmt.Sprintf("as many as models: %d", len(items)))
	var members []*member
	for i, item := range items {
		m := s.member(fmt.Sprintf("%s.%d", s.join("models"), i), item)
		if m == nil {
			continue
		}
		if slices.ContainsFunc(members, func(other *member) bool { return other.name == m.name }) {
			s.d.failAt(item.where, m.key, "a second model of this name")
		}
		m.frozen = m.frozen || i < len(frozen) && frozen[i]
		s.d.rules(m)
		members = append(members, m)
	}
	return members
}

// modelName keeps names fit to be part of the name of a file and of a tensor.
var modelName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// fit says that a model may have a name: iter_ would make files of it look like
// checkpoints within an epoch.
func fit(name string) bool {
	return modelName.MatchString(name) && name != distill.GroundTruth && !strings.HasPrefix(name, "iter_")
}

// member opens an item of models, a mapping with the model's name as its only
// key.
func (s *section) member(path string, item *value) *member {
	d, ok := item.data.(*dict)
	if !ok || len(d.keys) != 1 {
		s.d.failAt(item.where, path, "want one model such as \"- Student: {backbone: ..., head: ...}\", found %s", item.describe())
		return nil
	}
	m := &member{name: d.keys[0], key: path + "." + clip80(d.keys[0])}
	if !fit(m.name) {
		s.d.failAt(item.where, m.key, "want a name of letters, digits and _, at most 64, a letter first, other than %s and iter_...", distill.GroundTruth)
	}
	inner := (&section{d: s.d, path: path, dict: d, bad: map[string]bool{}}).section(m.name)
	if inner == nil {
		s.d.fail(m.key, "want backbone and head, or scores")
		return nil
	}
	m.read(inner)
	return m
}

func (m *member) read(s *section) {
	if s.has("scores") {
		m.scores, m.frozen = append([]string{}, s.words("scores")...), true
		s.check("scores", len(m.scores) > 0 && !slices.Contains(m.scores, ""), "a file or a list of files")
		for _, key := range []string{"backbone", "head", "pretrained"} {
			s.only(key, "the scores are there instead of a network")
		}
		s.done()
		return
	}
	m.model.Key = s.path
	m.model.parts(s)
	m.model.Weights = strings.TrimSpace(s.string("pretrained", ""))
	if m.model.Head.LabelSmoothing != 0 { // the reference's losses of this framework do not see the head's
		m.model.Head.LabelSmoothing = 0
		s.d.unused = append(s.d.unused, m.key+".head.ls_eps (labels are smoothed by ls_eps of an item of MODEL.loss.Train)")
	}
	s.done()
}

// rules are what a model must keep for itself.
func (d *decoder) rules(m *member) {
	switch {
	case m.name == distill.Student && m.scores != nil:
		d.fail(m.key+".scores", "the student is the network that learns: it needs backbone and head")
	case m.name == distill.Student && m.frozen:
		d.fail("MODEL.freeze_params_list", "True for the Student, which is the network that learns")
	case m.frozen && m.scores == nil && m.model.Weights == "":
		d.fail(m.key+".pretrained", "missing: a frozen network without weights (.pdparams) of all of it teaches noise")
	}
}

// together compares models and terms with each other.
func (d *decoder) together(members []*member, terms []distill.Term) {
	at := map[string]*member{}
	for _, m := range members {
		at[m.name] = m
	}
	student := at[distill.Student]
	if student == nil {
		d.fail("MODEL.models", "one of them must be called %s: it is what test and export take", distill.Student)
		return
	}
	before := len(d.errs)
	for i, t := range terms {
		d.sides(fmt.Sprintf("MODEL.loss.Train.%d", i), t, at)
	}
	if len(d.errs) == before {
		d.taught(members, terms)
	}
	classes := student.model.Network.Classes
	for _, m := range members {
		if m.scores == nil && m.model.Network.Classes != classes {
			d.fail(m.key+".head.num_classes", "%d, but the Student has %d", m.model.Network.Classes, classes)
		}
	}
}

// sides checks that a term has networks to compare and one that learns.
func (d *decoder) sides(key string, t distill.Term, at map[string]*member) {
	for _, name := range []string{t.Of, t.To} {
		if at[name] == nil && name != distill.GroundTruth {
			d.fail(key+".model_name_pairs", "no model is called %s", clip80(name))
			return
		}
	}
	d.act(key, t, at)
	for _, name := range t.Learns() {
		if !at[name].frozen {
			return
		}
	}
	d.fail(key+".model_name_pairs", "it teaches %s, which does not learn (see freeze_params_list)", strings.Join(t.Learns(), " and "))
}

// act checks that scores in files are not read for more than their softmax: of
// mixed clips and of several files they are logarithms of mixtures.
func (d *decoder) act(key string, t distill.Term, at map[string]*member) {
	for _, name := range []string{t.Of, t.To} {
		if t.Kind == distill.DML && t.Act != distill.Softmax && at[name].scores != nil {
			d.fail(key+".act", "of the scores in a file, %s, the softmax alone is known: want %s", name, distill.Softmax)
		}
	}
}

// taught checks that every model has a part in the loss, and learners a teacher.
func (d *decoder) taught(members []*member, terms []distill.Term) {
	for _, m := range members {
		used := slices.ContainsFunc(terms, func(t distill.Term) bool { return t.Of == m.name || t.To == m.name })
		learns := slices.ContainsFunc(terms, func(t distill.Term) bool { return t.Weight > 0 && slices.Contains(t.Learns(), m.name) })
		switch {
		case !used:
			d.fail(m.key, "no item of MODEL.loss.Train names it")
		case !m.frozen && !learns && m.name == distill.Student:
			d.fail("MODEL.loss.Train", "no item teaches the Student")
		case !m.frozen && !learns:
			d.fail(m.key, "no item of MODEL.loss.Train teaches it: freeze it (freeze_params_list), or add a %s of [%s, %s]", distill.CE, m.name, distill.GroundTruth)
		}
	}
}
