// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.infer.OverflowPolicy;
import java.util.Locale;
import picocli.CommandLine;

/** {@code drop-oldest-turns} for {@link OverflowPolicy#DROP_OLDEST_TURNS}. */
final class OverflowConverter implements CommandLine.ITypeConverter<OverflowPolicy> {
    @Override
    public OverflowPolicy convert(String value) {
        try {
            return OverflowPolicy.valueOf(value.toUpperCase(Locale.ROOT).replace('-', '_'));
        } catch (IllegalArgumentException e) {
            throw new CommandLine.TypeConversionException("expected error or drop-oldest-turns, not '" + value + "'");
        }
    }
}
