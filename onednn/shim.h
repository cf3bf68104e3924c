// oneDNN's C API as this package needs it, the same for versions 2 and 3.
//
// Version 2 describes an operation in a struct, from which a primitive
// descriptor is made; version 3 makes the primitive descriptor at once. A memory
// descriptor is a struct there and a handle here. All that differs is in shim.c;
// what is the same in both is called directly.
#ifndef PPTSN_ONEDNN_SHIM_H
#define PPTSN_ONEDNN_SHIM_H

#include <stddef.h>

#include <dnnl.h>

#ifndef DNNL_ARG_ATTR_SCALES
#define DNNL_ARG_ATTR_SCALES 0 // version 2 takes no scales as operands
#endif

// nn_md is a memory descriptor that the caller frees.
#if DNNL_VERSION_MAJOR < 3
typedef dnnl_memory_desc_t *nn_md;
#else
typedef dnnl_memory_desc_t nn_md;
#endif

dnnl_status_t nn_md_strided(nn_md *md, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides);
dnnl_status_t nn_md_any(nn_md *md, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type);
// nn_md_blocked keeps 16 channels of a pixel together: [N, C/16, H, W, 16].
dnnl_status_t nn_md_blocked(nn_md *md, const dnnl_dims_t dims, dnnl_data_type_t type);
// nn_md_of copies what a primitive descriptor says about its operand.
dnnl_status_t nn_md_of(nn_md *md, const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index);
dnnl_status_t nn_md_copy(nn_md *md, nn_md from);
void nn_md_free(nn_md md);
// nn_md_as copies a description without blocks for numbers of another type.
dnnl_status_t nn_md_as(nn_md *md, nn_md from, dnnl_data_type_t type);
dnnl_data_type_t nn_md_type(nn_md md);
size_t nn_md_size(nn_md md);
int nn_md_equal(nn_md a, nn_md b);

// nn_uses is 1 if oneDNN generates code with these instructions.
int nn_uses(dnnl_cpu_isa_t isa);

dnnl_status_t nn_memory(dnnl_memory_t *memory, nn_md md, dnnl_engine_t engine);

// nn_append_sum adds scale times what the destination held, read as type;
// dnnl_data_type_undef is the destination's own.
dnnl_status_t nn_append_sum(dnnl_post_ops_t ops, float scale, dnnl_data_type_t type);
dnnl_status_t nn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha, float beta);

// Version 2 multiplies results by scales that are fixed when a primitive is
// made: nn_output_scales. Version 3 takes scales of source, weights and
// destination as operands, and wants to know which there are: nn_scales_mask. Either is
// dnnl_unimplemented in the other version.
dnnl_status_t nn_output_scales(dnnl_primitive_attr_t attr, int count, int mask, const float *scales);
dnnl_status_t nn_scales_mask(dnnl_primitive_attr_t attr, int arg, int mask);

// Each makes a primitive descriptor for inference. Dilations count from 1.
dnnl_status_t nn_convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md weights, nn_md bias, nn_md dst,
	const dnnl_dims_t strides, const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after);
dnnl_status_t nn_pooling(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md src, nn_md dst,
	const dnnl_dims_t strides, const dnnl_dims_t kernel, const dnnl_dims_t before, const dnnl_dims_t after);
dnnl_status_t nn_inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md weights, nn_md bias, nn_md dst);
dnnl_status_t nn_eltwise(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md data, float alpha, float beta);
dnnl_status_t nn_binary(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md a, nn_md b, nn_md dst);
dnnl_status_t nn_softmax(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md data, int axis);
dnnl_status_t nn_mean(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md dst);
dnnl_status_t nn_batch_norm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md data, float epsilon);
dnnl_status_t nn_concat(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	int n, const nn_md *src, nn_md dst, int axis);
dnnl_status_t nn_reorder(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md dst);

// nn_alloc returns aligned memory, in huge pages where it is large; free()d.
void *nn_alloc(size_t size);

#endif
