// SPDX-License-Identifier: GPL-2.0-only
/* What a veth end needs on it so that frames which the other end's program sends back (XDP_TX)
 * arrive at once: without a program here the kernel queues them and wakes nobody. */
__attribute__((section("xdp.frags"), used)) int pass(void *context)
{
	(void)context;
	return 2; /* XDP_PASS */
}

__attribute__((section("license"), used)) static const char terms[] = "GPL";
