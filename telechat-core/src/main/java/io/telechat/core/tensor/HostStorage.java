// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Elements in the memory of this process: allocated off-heap, or a mapped file.
 *
 * @param segment exactly the tensor's bytes, little-endian, possibly unaligned when they are part of a file
 */
public record HostStorage(MemorySegment segment) implements Storage {}
