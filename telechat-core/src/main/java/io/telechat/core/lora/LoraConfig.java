// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.InvalidRequestException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The numbers of an adapter, as PEFT's adapter_config.json has them.
 *
 * @param rank r
 * @param alpha the adapter's product is scaled by {@code alpha/r}
 * @param alphaPattern another alpha for the layers whose names a regular expression matches at their end; the first that
 *     matches counts
 * @param rankStabilized scaled by {@code alpha/√r} instead (Kalajdzievski 2023, arXiv:2312.03732)
 * @param dropout share of an adapter's input that is dropped while it is trained
 * @param targets the linear layers it belongs to
 */
public record LoraConfig(
        int rank,
        double alpha,
        Map<String, Double> alphaPattern,
        boolean rankStabilized,
        double dropout,
        LoraSelection targets) {
    /** Of attention's queries, keys and values, in all architectures. */
    public static final List<String> ATTENTION_INPUTS =
            List.of("c_attn", "query", "key_value", "q_proj", "k_proj", "v_proj");

    private static final int MAX_RANK = 65_536;

    public LoraConfig {
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern)); // in the file's order
        if (rank < 1 || rank > MAX_RANK) {
            throw new InvalidRequestException("an adapter of rank %d is impossible", rank);
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidRequestException("a dropout of %s is impossible: must be from 0 to below 1", dropout);
        }
        if (!Double.isFinite(alpha) || !alphaPattern.values().stream().allMatch(Double::isFinite)) {
            throw new InvalidRequestException("an adapter's alpha must be a number");
        }
        alphaPattern.keySet().forEach(key -> LoraSelection.compile(atEnd(key)));
    }

    /** The same alpha for all layers, which are given by their names. */
    public LoraConfig(int rank, double alpha, boolean rankStabilized, double dropout, List<String> targets) {
        this(rank, alpha, Map.of(), rankStabilized, dropout, LoraSelection.of(targets));
    }

    /** Of a linear layer, such as {@code transformer.h.0.attn.c_attn}. */
    public double scale(String module) {
        double of = alphaPattern.entrySet().stream()
                .filter(e ->
                        LoraSelection.compile(atEnd(e.getKey())).matcher(module).matches())
                .findFirst()
                .map(Map.Entry::getValue)
                .orElse(alpha);
        return of / (rankStabilized ? Math.sqrt(rank) : rank);
    }

    /** As {@code get_pattern_key} in peft/utils/other.py. */
    private static String atEnd(String key) {
        return "(.*\\.)?(" + key + ")";
    }
}
