// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.core.gguf.GgufExportValues;
import io.telechat.core.gguf.GgufType;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads what matrices are written as, and lists it for completion. */
final class GgufTypeConverter implements ITypeConverter<GgufType>, Iterable<String> {
    private static String name(GgufType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public GgufType convert(String text) {
        List<GgufType> choice = GgufExportValues.types();
        return choice.stream()
                .filter(type -> name(type).equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException(Message.localized(
                        "'%s': choose %s",
                        text, choice.stream().map(GgufTypeConverter::name).collect(Collectors.joining(" or ")))));
    }

    @Override
    public Iterator<String> iterator() {
        return GgufExportValues.types().stream().map(GgufTypeConverter::name).iterator();
    }
}
