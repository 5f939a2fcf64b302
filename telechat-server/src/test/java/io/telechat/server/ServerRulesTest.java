// SPDX-License-Identifier: Apache-2.0
package io.telechat.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.telechat.server", importOptions = ImportOption.DoNotIncludeTests.class)
class ServerRulesTest {
    @ArchTest
    static final ArchRule transportKnowsNothingOfModels = noClasses()
            .that()
            .resideInAPackage("io.telechat.server.http")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.telechat.infer..", "io.telechat.server.api..", "com.fasterxml..");

    @ArchTest
    static final ArchRule nettyIsTheTransportsOwn = noClasses()
            .that()
            .resideOutsideOfPackage("io.telechat.server.http")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.netty..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.telechat.server.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule nobodyPrintsOrExits = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class);
}
