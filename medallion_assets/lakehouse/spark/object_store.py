"""What Spark needs for a lake on S3, or on a store that speaks as S3 does: Hadoop's connector, and where the store is.

Both come from the environment as other tools know it: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
AWS_REGION, AWS_ENDPOINT_URL. delta-rs and Spark's driver read the credentials there themselves, so that no setting of
Spark holds one. (Of an endpoint without TLS, delta-rs wants AWS_ALLOW_HTTP=true as well.)
"""

from collections.abc import Iterable, Mapping

from medallion_assets.lakehouse.spark.jars import cache, cached, fetch

PACKAGES = ("org.apache.hadoop:hadoop-aws:3.5.0", "software.amazon.awssdk:bundle:2.35.4")
JARS = (
    "org.apache.hadoop_hadoop-aws-*.jar",
    "software.amazon.awssdk_bundle-*.jar",
    "software.amazon.s3.analyticsaccelerator_*.jar",
    "org.wildfly.openssl_*.jar",
)
_SCHEME_S3 = {
    "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
    "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
}


def is_on_s3(places: Iterable[str]) -> bool:
    """Whether one of the folders or URLs is on S3; s3:// and s3a:// are one."""
    return any(place.startswith(("s3://", "s3a://")) for place in places)


def cached_jars() -> list[str]:
    """The paths of the connector's jars (660 MB), fetched first if they are not in the cache. JarsError."""
    folder = cache().with_name(f"{cache().name}-s3")
    fetch(PACKAGES, JARS, folder)
    return cached(folder, JARS)


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of a session that says where the store is."""
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    return {
        **_SCHEME_S3,
        **({"spark.hadoop.fs.s3a.endpoint.region": region} if region else {}),
        # Other stores have no host name for each bucket.
        **(
            {"spark.hadoop.fs.s3a.endpoint": endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
            if endpoint
            else {}
        ),
    }
