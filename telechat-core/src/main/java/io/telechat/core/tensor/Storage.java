// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tensor;

/** Where the elements of a {@link Tensor} lie. A device backend adds its own kind. */
public sealed interface Storage permits HostStorage, ArrayStorage {}
