// SPDX-License-Identifier: Apache-2.0
/** What is shown of a run: scalars for TensorBoard while it goes on, a page with charts afterwards. */
package io.telechat.train.report;
