#include "shim.h"

#include <stdlib.h>
#include <sys/mman.h>

// What is the same in all versions.

size_t nn_md_size(nn_md md) { return dnnl_memory_desc_get_size(md); }

int nn_md_equal(nn_md a, nn_md b) { return dnnl_memory_desc_equal(a, b); }

int nn_uses(dnnl_cpu_isa_t isa) { return (dnnl_get_effective_cpu_isa() & isa) == isa; }

dnnl_status_t nn_memory(dnnl_memory_t *memory, nn_md md, dnnl_engine_t engine) {
	return dnnl_memory_create(memory, md, engine, DNNL_MEMORY_NONE);
}

dnnl_status_t nn_reorder(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md dst) {
	return dnnl_reorder_primitive_desc_create(pd, src, engine, dst, engine, attr);
}

void *nn_alloc(size_t size) {
	const size_t huge = (size_t)2 << 20;
	size_t align = size < huge ? 64 : huge;
	size = (size + align - 1) / align * align;
	void *p = NULL;
	if (posix_memalign(&p, align, size) != 0)
		return NULL;
#ifdef MADV_HUGEPAGE
	if (align == huge)
		madvise(p, size, MADV_HUGEPAGE); // advice: nothing is lost where it is not taken
#endif
	return p;
}

#if DNNL_VERSION_MAJOR < 3

#include <string.h>

static dnnl_status_t take(nn_md *md, const dnnl_memory_desc_t *from) {
	*md = malloc(sizeof **md);
	if (*md == NULL)
		return dnnl_out_of_memory;
	memcpy(*md, from, sizeof **md);
	return dnnl_success;
}

dnnl_status_t nn_md_strided(nn_md *md, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
	dnnl_memory_desc_t d;
	dnnl_status_t s = dnnl_memory_desc_init_by_strides(&d, ndims, dims, type, strides);
	return s == dnnl_success ? take(md, &d) : s;
}

dnnl_status_t nn_md_any(nn_md *md, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type) {
	dnnl_memory_desc_t d;
	dnnl_status_t s = dnnl_memory_desc_init_by_tag(&d, ndims, dims, type, dnnl_format_tag_any);
	return s == dnnl_success ? take(md, &d) : s;
}

dnnl_status_t nn_md_blocked(nn_md *md, const dnnl_dims_t dims, dnnl_data_type_t type) {
	dnnl_memory_desc_t d;
	dnnl_status_t s = dnnl_memory_desc_init_by_tag(&d, 4, dims, type, dnnl_nChw16c);
	return s == dnnl_success ? take(md, &d) : s;
}

dnnl_status_t nn_md_of(nn_md *md, const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index) {
	const dnnl_memory_desc_t *d = dnnl_primitive_desc_query_md(pd, what, index);
	return d != NULL ? take(md, d) : dnnl_invalid_arguments;
}

dnnl_status_t nn_md_copy(nn_md *md, nn_md from) { return take(md, from); }

void nn_md_free(nn_md md) { free(md); }

dnnl_status_t nn_md_as(nn_md *md, nn_md from, dnnl_data_type_t type) {
	dnnl_status_t s = take(md, from);
	if (s == dnnl_success)
		(*md)->data_type = type;
	return s;
}

dnnl_data_type_t nn_md_type(nn_md md) { return md->data_type; }

dnnl_status_t nn_append_sum(dnnl_post_ops_t ops, float scale, dnnl_data_type_t type) {
	return dnnl_post_ops_append_sum_v2(ops, scale, type);
}

dnnl_status_t nn_output_scales(dnnl_primitive_attr_t attr, int count, int mask, const float *scales) {
	return dnnl_primitive_attr_set_output_scales(attr, count, mask, scales);
}

dnnl_status_t nn_scales_mask(dnnl_primitive_attr_t attr, int arg, int mask) { return dnnl_unimplemented; }

dnnl_status_t nn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha, float beta) {
	return dnnl_post_ops_append_eltwise(ops, 1, alg, alpha, beta);
}

// made turns an operation descriptor into a primitive descriptor.
static dnnl_status_t made(dnnl_status_t s, dnnl_primitive_desc_t *pd, const_dnnl_op_desc_t op,
	dnnl_primitive_attr_t attr, dnnl_engine_t engine) {
	return s == dnnl_success ? dnnl_primitive_desc_create(pd, op, attr, engine, NULL) : s;
}

dnnl_status_t nn_convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md weights, nn_md bias, nn_md dst,
	const dnnl_dims_t strides, const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after) {
	dnnl_convolution_desc_t d;
	dnnl_dims_t gaps = {dilations[0] - 1, dilations[1] - 1};
	dnnl_status_t s = dnnl_dilated_convolution_forward_desc_init(&d, dnnl_forward_inference, dnnl_convolution_direct,
		src, weights, bias, dst, strides, gaps, before, after);
	return made(s, pd, &d, attr, engine);
}

dnnl_status_t nn_pooling(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md src, nn_md dst,
	const dnnl_dims_t strides, const dnnl_dims_t kernel, const dnnl_dims_t before, const dnnl_dims_t after) {
	dnnl_pooling_desc_t d;
	dnnl_status_t s = dnnl_pooling_forward_desc_init(&d, dnnl_forward_inference, alg, src, dst,
		strides, kernel, before, after);
	return made(s, pd, &d, attr, engine);
}

dnnl_status_t nn_inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md weights, nn_md bias, nn_md dst) {
	dnnl_inner_product_desc_t d;
	dnnl_status_t s = dnnl_inner_product_forward_desc_init(&d, dnnl_forward_inference, src, weights, bias, dst);
	return made(s, pd, &d, attr, engine);
}

dnnl_status_t nn_eltwise(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md data, float alpha, float beta) {
	dnnl_eltwise_desc_t d;
	dnnl_status_t s = dnnl_eltwise_forward_desc_init(&d, dnnl_forward_inference, alg, data, alpha, beta);
	return made(s, pd, &d, attr, engine);
}

dnnl_status_t nn_binary(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md a, nn_md b, nn_md dst) {
	dnnl_binary_desc_t d;
	return made(dnnl_binary_desc_init(&d, alg, a, b, dst), pd, &d, attr, engine);
}

dnnl_status_t nn_softmax(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md data, int axis) {
	dnnl_softmax_desc_t d;
	return made(dnnl_softmax_forward_desc_init(&d, dnnl_forward_inference, data, axis), pd, &d, attr, engine);
}

dnnl_status_t nn_mean(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md dst) {
	dnnl_reduction_desc_t d;
	return made(dnnl_reduction_desc_init(&d, dnnl_reduction_mean, src, dst, 0, 0), pd, &d, attr, engine);
}

dnnl_status_t nn_batch_norm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md data, float epsilon) {
	dnnl_batch_normalization_desc_t d;
	dnnl_status_t s = dnnl_batch_normalization_forward_desc_init(&d, dnnl_forward_inference, data, epsilon,
		dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift);
	return made(s, pd, &d, attr, engine);
}

dnnl_status_t nn_concat(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	int n, const nn_md *src, nn_md dst, int axis) {
	dnnl_memory_desc_t *d = malloc(n * sizeof *d);
	if (d == NULL)
		return dnnl_out_of_memory;
	for (int i = 0; i < n; i++)
		d[i] = *src[i];
	dnnl_status_t s = dnnl_concat_primitive_desc_create(pd, dst, n, axis, d, attr, engine);
	free(d);
	return s;
}

#else

dnnl_status_t nn_md_strided(nn_md *md, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type, const dnnl_dims_t strides) {
	return dnnl_memory_desc_create_with_strides(md, ndims, dims, type, strides);
}

dnnl_status_t nn_md_any(nn_md *md, int ndims, const dnnl_dims_t dims, dnnl_data_type_t type) {
	return dnnl_memory_desc_create_with_tag(md, ndims, dims, type, dnnl_format_tag_any);
}

dnnl_status_t nn_md_blocked(nn_md *md, const dnnl_dims_t dims, dnnl_data_type_t type) {
	return dnnl_memory_desc_create_with_tag(md, 4, dims, type, dnnl_nChw16c);
}

dnnl_status_t nn_md_of(nn_md *md, const_dnnl_primitive_desc_t pd, dnnl_query_t what, int index) {
	const_dnnl_memory_desc_t d = dnnl_primitive_desc_query_md(pd, what, index);
	return d != NULL ? dnnl_memory_desc_clone(md, d) : dnnl_invalid_arguments;
}

dnnl_status_t nn_md_copy(nn_md *md, nn_md from) { return dnnl_memory_desc_clone(md, from); }

void nn_md_free(nn_md md) { dnnl_memory_desc_destroy(md); }

dnnl_status_t nn_md_as(nn_md *md, nn_md from, dnnl_data_type_t type) {
	int ndims;
	dnnl_dims_t *dims, *strides; // read in place
	dnnl_status_t s = dnnl_memory_desc_query(from, dnnl_query_ndims_s32, &ndims);
	if (s == dnnl_success)
		s = dnnl_memory_desc_query(from, dnnl_query_dims, &dims);
	if (s == dnnl_success)
		s = dnnl_memory_desc_query(from, dnnl_query_strides, &strides);
	return s == dnnl_success ? dnnl_memory_desc_create_with_strides(md, ndims, *dims, type, *strides) : s;
}

dnnl_data_type_t nn_md_type(nn_md md) {
	dnnl_data_type_t type = dnnl_data_type_undef;
	dnnl_memory_desc_query(md, dnnl_query_data_type, &type);
	return type;
}

dnnl_status_t nn_append_sum(dnnl_post_ops_t ops, float scale, dnnl_data_type_t type) {
	return dnnl_post_ops_append_sum(ops, scale, 0, type);
}

dnnl_status_t nn_output_scales(dnnl_primitive_attr_t attr, int count, int mask, const float *scales) {
	return dnnl_unimplemented;
}

dnnl_status_t nn_scales_mask(dnnl_primitive_attr_t attr, int arg, int mask) {
	return dnnl_primitive_attr_set_scales_mask(attr, arg, mask);
}

dnnl_status_t nn_append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha, float beta) {
	return dnnl_post_ops_append_eltwise(ops, alg, alpha, beta);
}

dnnl_status_t nn_convolution(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md weights, nn_md bias, nn_md dst,
	const dnnl_dims_t strides, const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after) {
	dnnl_dims_t gaps = {dilations[0] - 1, dilations[1] - 1};
	return dnnl_convolution_forward_primitive_desc_create(pd, engine, dnnl_forward_inference, dnnl_convolution_direct,
		src, weights, bias, dst, strides, gaps, before, after, attr);
}

dnnl_status_t nn_pooling(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md src, nn_md dst,
	const dnnl_dims_t strides, const dnnl_dims_t kernel, const dnnl_dims_t before, const dnnl_dims_t after) {
	const dnnl_dims_t dense = {0, 0};
	return dnnl_pooling_forward_primitive_desc_create(pd, engine, dnnl_forward_inference, alg,
		src, dst, strides, kernel, dense, before, after, attr);
}

dnnl_status_t nn_inner_product(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md weights, nn_md bias, nn_md dst) {
	return dnnl_inner_product_forward_primitive_desc_create(pd, engine, dnnl_forward_inference,
		src, weights, bias, dst, attr);
}

dnnl_status_t nn_eltwise(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md data, float alpha, float beta) {
	return dnnl_eltwise_forward_primitive_desc_create(pd, engine, dnnl_forward_inference, alg,
		data, data, alpha, beta, attr);
}

dnnl_status_t nn_binary(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	dnnl_alg_kind_t alg, nn_md a, nn_md b, nn_md dst) {
	return dnnl_binary_primitive_desc_create(pd, engine, alg, a, b, dst, attr);
}

dnnl_status_t nn_softmax(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md data, int axis) {
	return dnnl_softmax_forward_primitive_desc_create(pd, engine, dnnl_forward_inference, dnnl_softmax_accurate,
		data, data, axis, attr);
}

dnnl_status_t nn_mean(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md src, nn_md dst) {
	return dnnl_reduction_primitive_desc_create(pd, engine, dnnl_reduction_mean, src, dst, 0, 0, attr);
}

dnnl_status_t nn_batch_norm(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	nn_md data, float epsilon) {
	return dnnl_batch_normalization_forward_primitive_desc_create(pd, engine, dnnl_forward_inference,
		data, data, epsilon, dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift, attr);
}

dnnl_status_t nn_concat(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_primitive_attr_t attr,
	int n, const nn_md *src, nn_md dst, int axis) {
	return dnnl_concat_primitive_desc_create(pd, engine, dst, n, axis, (const_dnnl_memory_desc_t const *)src, attr);
}

#endif
