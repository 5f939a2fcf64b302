// SPDX-License-Identifier: Apache-2.0
/** Functions that a model may call: how they are offered to it, and how its calls are found in what it says. */
package io.telechat.infer.tools;
