package pdmodel

// Encode returns the contents of a .pdmodel file. What Parse has read from a
// file that Paddle wrote becomes the same bytes again.
func (p *Program) Encode() []byte {
	var out []byte
	for _, b := range p.Blocks {
		out = appendBytes(out, 1, b.encode())
	}
	out = append(out, p.compatible...)
	if p.hasVersion {
		out = appendBytes(out, 4, appendInt(nil, 1, p.Version))
	}
	if p.hasOpVersions {
		var pairs []byte
		for _, v := range p.OpVersions {
			pair := appendString(nil, 1, v.Op)
			pair = appendBytes(pair, 2, appendInt(nil, 1, int64(v.Version)))
			pairs = appendBytes(pairs, 1, pair)
		}
		out = appendBytes(out, 5, pairs)
	}
	return append(out, p.unknown...)
}

func (b *Block) encode() []byte {
	out := appendInt(nil, 1, int64(b.Index))
	out = appendInt(out, 2, int64(b.Parent))
	for _, v := range b.Vars {
		out = appendBytes(out, 3, v.encode())
	}
	for _, op := range b.Ops {
		out = appendBytes(out, 4, op.encode())
	}
	return append(out, b.unknown...)
}

func (v *Var) encode() []byte {
	kind := appendInt(nil, 1, int64(v.Kind))
	if v.Tensor != nil {
		kind = appendBytes(kind, 3, v.Tensor.encodeLoD())
	}
	out := appendString(nil, 1, v.Name)
	out = appendBytes(out, 2, append(kind, v.kindUnknown...))
	out = appendBool(out, 3, v.Persistable)
	out = appendBool(out, 4, v.NeedCheckFeed)
	out = appendBool(out, 5, v.IsParameter)
	out = appendBool(out, 6, v.StopGradient)
	return append(out, v.unknown...)
}

func (t *TensorDesc) encodeLoD() []byte {
	out := appendBytes(nil, 1, t.encode())
	if t.LoDLevel != nil {
		out = appendInt(out, 2, int64(*t.LoDLevel))
	}
	return append(out, t.levelUnknown...)
}

func (t *TensorDesc) encode() []byte {
	out := appendInt(nil, 1, int64(t.Type))
	for _, d := range t.Dims {
		out = appendInt(out, 2, d)
	}
	return append(out, t.unknown...)
}

func (o *Op) encode() []byte {
	var out []byte
	for i := range o.In {
		out = appendBytes(out, 1, o.In[i].encode())
	}
	for i := range o.Out {
		out = appendBytes(out, 2, o.Out[i].encode())
	}
	out = appendString(out, 3, o.Type)
	for i := range o.Attrs {
		out = appendBytes(out, 4, o.Attrs[i].encode())
	}
	out = appendBool(out, 5, o.Target)
	return append(out, o.unknown...)
}

func (s *Slot) encode() []byte {
	out := appendString(nil, 1, s.Name)
	for _, a := range s.Args {
		out = appendString(out, 2, a)
	}
	return append(out, s.unknown...)
}
