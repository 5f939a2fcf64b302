// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.InvalidRequestException;
import java.util.List;

/**
 * The numbers of an adapter, as PEFT's adapter_config.json has them.
 *
 * @param rank r
 * @param alpha the adapter's product is scaled by {@code alpha/r}
 * @param rankStabilized by {@code alpha/√r} instead (Kalajdzievski 2023, arXiv:2312.03732)
 * @param dropout share of an adapter's input that is dropped while it is trained
 * @param targets names, or ends of names, of the linear layers it belongs to
 */
public record LoraConfig(int rank, double alpha, boolean rankStabilized, double dropout, List<String> targets) {
    /** Of attention's queries, keys and values, in all flavours. */
    public static final List<String> ATTENTION_INPUTS = List.of("c_attn", "query", "key_value");

    private static final int MAX_RANK = 65_536;

    public LoraConfig {
        targets = List.copyOf(targets);
        if (rank < 1 || rank > MAX_RANK) {
            throw new InvalidRequestException("an adapter of rank %d is impossible".formatted(rank));
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidRequestException(
                    "a dropout of %s is impossible: must be from 0 to below 1".formatted(dropout));
        }
        if (targets.isEmpty()) {
            throw new InvalidRequestException("an adapter needs the names of the layers it belongs to");
        }
    }

    public double scale() {
        return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
    }

    /** Whether a linear layer, such as {@code transformer.h.0.attn.c_attn}, is one of the targets. */
    boolean isTarget(String module) {
        return targets.stream().anyMatch(t -> module.equals(t) || module.endsWith("." + t));
    }
}
