// SPDX-License-Identifier: Apache-2.0
/** What is asked of a generation, and what comes of it. */
package io.telechat.infer.generation;
