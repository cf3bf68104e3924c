package graph

// dropDropout removes dropout, which does nothing in inference.
func dropDropout(r *rewrite) error {
	return r.each(func(n *Node) error {
		if _, ok := n.Op.(Dropout); ok {
			r.drop(n, n.In[0])
		}
		return nil
	})
}

// dropIdentity removes nodes that return their operand as it is.
func dropIdentity(r *rewrite) error {
	return r.each(func(n *Node) error {
		a, ok := n.Op.(Affine)
		if ok && a.Scale == 1 && a.Shift == 0 {
			r.drop(n, n.In[0])
		}
		return nil
	})
}
