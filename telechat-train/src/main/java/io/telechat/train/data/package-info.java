// SPDX-License-Identifier: Apache-2.0
/**
 * From weighted files of dialogs to packed, masked training samples. {@link io.telechat.train.data.DataProcessor} is the
 * way in; a line becomes a {@link io.telechat.train.data.Dialog}, that an {@link io.telechat.train.data.EncodedDialog}, and
 * several of those one row of a shard.
 */
package io.telechat.train.data;
