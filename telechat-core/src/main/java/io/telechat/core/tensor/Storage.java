// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

/** Where the elements of a {@link Tensor} lie. A closed set: the address of a device's memory will be one more kind here. */
public sealed interface Storage permits HostStorage, ArrayStorage {}
