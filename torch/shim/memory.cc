// Memory of tensors on the CPU.
//
// A training step asks for the same gigabytes again and again. libtorch takes
// them from malloc, which gives large pieces back to the system and has their
// pages made anew, filled with zeros, each step. Here they are kept, and lie in
// huge pages, where the system has them to give.

#include "memory.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>

#include <sys/mman.h>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

namespace {

const size_t small = 64 << 10;  // less than this is malloc's
const size_t grain = 512;       // sizes are multiples of it
const size_t page = 2 << 20;    // a huge page

// Addresses asked of the system at a time: many, since what nobody writes to
// takes no memory, and a tensor that does not fit into the end of a slab leaves
// a hole.
const size_t slab = size_t(4) << 30;

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

void *map(size_t size) {
	return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

// A pool is slabs of memory, cut into pieces. The lowest piece that is free and
// large enough is used first, so that what is in use stays together.
class pool {
	struct piece {
		size_t size;
		bool first; // of its slab: never joined with what lies before
	};
	std::mutex lock;
	std::map<char *, piece> unused, used;
	std::map<char *, size_t> slabs;

public:
	// take returns NULL if the system has no more.
	void *take(size_t size) {
		std::lock_guard<std::mutex> hold(lock);
		size = round_up(size, grain);
		auto found = find(size);
		if (found == unused.end() && grow(size))
			found = find(size);
		if (found == unused.end())
			return nullptr;
		char *at = found->first;
		piece p = found->second;
		unused.erase(found);
		if (p.size > size)
			unused[at + size] = {p.size - size, false};
		used[at] = {size, p.first};
		return at;
	}

	// give reports whether the address is the pool's.
	bool give(void *address) {
		std::lock_guard<std::mutex> hold(lock);
		auto was = used.find(static_cast<char *>(address));
		if (was == used.end())
			return false;
		auto here = unused.insert(*was).first;
		used.erase(was);
		auto next = std::next(here);
		if (next != unused.end() && !next->second.first && here->first + here->second.size == next->first) {
			here->second.size += next->second.size;
			unused.erase(next);
		}
		if (here->second.first || here == unused.begin())
			return true;
		auto before = std::prev(here);
		if (before->first + before->second.size == here->first) {
			before->second.size += here->second.size;
			unused.erase(here);
		}
		return true;
	}

private:
	std::map<char *, piece>::iterator find(size_t size) {
		return std::find_if(unused.begin(), unused.end(), [&](auto &u) { return u.second.size >= size; });
	}

	// grow adds a slab. Slabs that nothing is left in are too small, and go.
	bool grow(size_t size) {
		shrink();
		size_t least = round_up(size, page);
		size = std::max(least, slab);
		void *got = map(size + page);
		while (got == MAP_FAILED && size > least) { // addresses may be limited
			size = std::max(least, round_up(size / 2, page));
			got = map(size + page);
		}
		if (got == MAP_FAILED)
			return false;
		char *begin = static_cast<char *>(got), *at = reinterpret_cast<char *>(round_up(reinterpret_cast<uintptr_t>(got), page));
		if (at > begin)
			munmap(begin, at - begin);
		if (at < begin + page)
			munmap(at + size, begin + page - at);
		madvise(at, size, MADV_HUGEPAGE); // a wish: ordinary pages will do
		slabs[at] = size;
		unused[at] = {size, true};
		return true;
	}

	void shrink() {
		for (auto s = slabs.begin(); s != slabs.end();) {
			auto whole = unused.find(s->first);
			if (whole == unused.end() || whole->second.size != s->second) {
				++s;
				continue;
			}
			munmap(s->first, s->second);
			unused.erase(whole);
			s = slabs.erase(s);
		}
	}
};

// It is never destroyed: tensors may outlive static objects.
pool &tensors() {
	static pool *p = new pool;
	return *p;
}

c10::Allocator *libtorch; // its own, for small pieces

void give(void *address) {
	if (!tensors().give(address))
		libtorch->raw_deleter()(address);
}

struct keeper final : c10::Allocator {
	c10::DataPtr take(size_t n) const {
		void *at = n < small ? nullptr : tensors().take(n);
		if (at == nullptr)
			at = libtorch->raw_allocate(n); // which reports a lack of memory
		return {at, at, give, c10::Device(c10::kCPU)};
	}

	// Versions of libtorch differ in what is const and what is asked for.
	c10::DataPtr allocate(size_t n) const { return take(n); }
	c10::DataPtr allocate(size_t n) { return take(n); }
	void copy_data(void *to, const void *from, size_t n) const { memcpy(to, from, n); }
	c10::DeleterFnPtr raw_deleter() const override { return give; }
};

} // namespace

void keep_memory() {
	static keeper k;
	if (libtorch != nullptr)
		return;
	libtorch = c10::GetCPUAllocator();
	if (libtorch->raw_deleter() != nullptr)
		c10::SetCPUAllocator(&k);
}
