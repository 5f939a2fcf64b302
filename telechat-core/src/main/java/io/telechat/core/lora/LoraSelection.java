// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.lora;

import io.telechat.core.InvalidRequestException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which linear layers an adapter belongs to, as PEFT says it ({@code target_modules}, {@code exclude_modules},
 * {@code layers_to_transform}; {@code check_target_module_exists} in peft/tuners/tuners_utils.py).
 *
 * @param names whole names, or ends of names behind a dot; empty where an expression says which
 * @param expression regular expression for whole names, or {@link #ALL_LINEAR}
 * @param excluded names that are left out, as {@code names}
 * @param excludedExpression likewise, as {@code expression}
 * @param layers indices of the decoder layers; empty for all
 */
public record LoraSelection(
        List<String> names,
        Optional<String> expression,
        List<String> excluded,
        Optional<String> excludedExpression,
        Set<Integer> layers) {
    /** PEFT's word for every linear layer of the decoder layers. */
    static final String ALL_LINEAR = "all-linear";

    private static final Pattern LAYER = Pattern.compile("(?:^|\\.)(?:h|layers)\\.(\\d{1,6})\\.");

    public LoraSelection {
        names = List.copyOf(names);
        excluded = List.copyOf(excluded);
        layers = Set.copyOf(layers);
        if (names.isEmpty() && expression.isEmpty()) {
            throw new InvalidRequestException("an adapter needs the names of the layers it belongs to");
        }
        expression.ifPresent(LoraSelection::compile);
        excludedExpression.ifPresent(LoraSelection::compile);
    }

    /** Layers by their names. */
    public static LoraSelection of(List<String> names) {
        return new LoraSelection(names, Optional.empty(), List.of(), Optional.empty(), Set.of());
    }

    static Pattern compile(String expression) {
        try {
            return Pattern.compile(expression);
        } catch (PatternSyntaxException e) {
            throw new InvalidRequestException(
                    "'%s' is no regular expression: %s at %d",
                    expression, e.getDescription(), Math.max(0, e.getIndex()));
        }
    }

    /** Whether a linear layer, such as {@code transformer.h.0.attn.c_attn}, is one of them. */
    boolean contains(String module) {
        return isIn(module, names, expression)
                && !isIn(module, excluded, excludedExpression)
                && (layers.isEmpty() || layers.contains(layer(module)));
    }

    private static boolean isIn(String module, List<String> names, Optional<String> expression) {
        return names.stream().anyMatch(t -> module.equals(t) || module.endsWith("." + t))
                || expression
                        .filter(e -> e.equals(ALL_LINEAR)
                                || compile(e).matcher(module).matches())
                        .isPresent();
    }

    private static int layer(String module) {
        Matcher matcher = LAYER.matcher(module);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    /** For messages: the names, or the expression. */
    @Override
    public String toString() {
        return expression.orElseGet(names::toString);
    }
}
