// SPDX-License-Identifier: Apache-2.0
/** Text as Python sees it: the harnesses whose scores are reproduced here are written in it. */
package io.telechat.eval.text;
