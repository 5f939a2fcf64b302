// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.telechat.core.testing.AdapterRules;
import java.util.Set;

@AnalyzeClasses(packages = "io.telechat.djl", importOptions = ImportOption.DoNotIncludeTests.class)
class DjlRulesTest {
    @ArchTest
    static final ArchRule standsOnTheLibrarysPublicPackages = AdapterRules.standsOnTheLibrarysPublicPackages(
            "ai.djl..",
            "io.telechat.djl",
            // which tells our checkpoints from those of other engines
            "io.telechat.core.architecture");

    /** All else may change with every version. */
    @ArchTest
    static final ArchRule nothingElseIsPublic = AdapterRules.nothingElseIsPublic(Set.of(
            "ChatInput",
            "ChatInput$Builder",
            "ChatOutput",
            "ChatStream",
            "TelechatArray",
            "TelechatModel",
            // found by DJL by their names
            "TelechatEngineProvider",
            "TelechatRepositoryFactory",
            "TelechatRepositoryFactory$NoBlock",
            "TelechatTranslatorFactory"));
}
