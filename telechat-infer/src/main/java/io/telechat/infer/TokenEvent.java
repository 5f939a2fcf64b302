// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import java.util.Optional;

/**
 * One step of a stream.
 *
 * @param id the token
 * @param text what it adds to the answer; empty while it may be part of a character or of a stop string
 * @param logprob if asked for
 */
public record TokenEvent(int id, String text, Optional<Generation.TokenLogprob> logprob) {}
