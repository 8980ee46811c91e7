# Writes tests/fixtures/sink/sigv4.json: requests signed by botocore, an implementation that is not ours.
#   pip install botocore && python3 tests/programs/sigv4.py > tests/fixtures/sink/sigv4.json
import datetime, json
import botocore, botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

AT = datetime.datetime(2026, 11, 20, 12, 21, 11, 602000)


class Fixed(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return AT

    @classmethod
    def now(cls, tz=None):
        return AT.replace(tzinfo=tz)


botocore.auth.datetime.datetime = Fixed
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: AT

ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CASES = [
    ("https://bucket.s3.eu-west-1.amazonaws.com/reports/1795177271602-X-report.json", "eu-west-1", None, '[{"a":1}]'),
    ("http://127.0.0.1:9000/bucket/a%20dir/x%20y-%C3%BC%281%29%2A%21%27~.json", "us-east-1", None, '[{"name":"\u00fc"}]'),
    ("https://s3.cn-north-1.amazonaws.com.cn/with.dots/r", "cn-north-1", "session/token+with=signs", ""),
]

found = []
for url, region, token, body in CASES:
    request = AWSRequest("PUT", url, headers={"content-type": "application/json"}, data=body.encode())
    request.context["payload_signing_enabled"] = True
    botocore.auth.S3SigV4Auth(Credentials(ID, SECRET, token), "s3", region).add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    found.append({"url": url, "region": region, "token": token, "body": body, "headers": headers})

at = AT.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (AT.microsecond // 1000)
print(json.dumps({"by": "botocore " + botocore.__version__, "at": at, "id": ID, "secret": SECRET, "cases": found}, indent=2))
