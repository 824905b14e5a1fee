# CPack runs this where the package's files lie, before it packs them: what Debian wants otherwise than `cmake --install`
# leaves it. Pages are compressed, modules stripped, and there is a changelog, of the one version that there is.

set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${share}/doc/nnlua/changelog "nnlua (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Version ${CPACK_PACKAGE_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
execute_process(COMMAND gzip -9n ${share}/doc/nnlua/changelog ${share}/man/man1/nnlua.1 COMMAND_ERROR_IS_FATAL ANY)

file(GLOB modules ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/lib/nnlua/*.so)
if(modules)
  execute_process(COMMAND strip --strip-unneeded ${modules} COMMAND_ERROR_IS_FATAL ANY)
endif()

file(WRITE ${share}/lintian/overrides/nnlua "# The project has no address.
nnlua: bogus-mail-host
nnlua: bogus-mail-host-in-debian-changelog
# One package has the program and what C hosts are built with.
nnlua: pkg-config-unavailable-for-cross-compilation
")
