// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.train.optimizer.MomentType;
import java.util.Iterator;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code --optimizer-state}: picocli alone would offer the names in the code, too. */
final class MomentTypeConverter implements ITypeConverter<MomentType>, Iterable<String> {
    @Override
    public Iterator<String> iterator() {
        return Stream.of(MomentType.values()).map(MomentType::toString).iterator();
    }

    @Override
    public MomentType convert(String text) {
        return Stream.of(MomentType.values())
                .filter(type -> type.toString().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException(Message.localized("'%s': choose f32 or 8bit", text)));
    }
}
